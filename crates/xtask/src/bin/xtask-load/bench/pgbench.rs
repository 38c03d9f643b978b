//! PostgreSQL's own `pgbench`: the peer of single-row inserts into the table of events.

use std::fs;
use std::path::PathBuf;

use super::turns::Figures;
use crate::Result;
use crate::database::SCHEMA;
use crate::private::PrivateServer;
use crate::psql;

/// How many clients to choose from: the best for it is taken.
const CLIENTS: [usize; 3] = [32, 48, 64];
/// How long each is tried.
const TRIAL_SECONDS: u64 = 3;

/// The same columns and indexes as the product's table, without its policies.
fn table() -> String {
    format!("CREATE SCHEMA peer; CREATE TABLE peer.events (LIKE {SCHEMA}.events INCLUDING ALL)")
}

/// An event as the bench's, under a number that no other has. Ids ascend, which is the cheapest for the index, and
/// but for the number everything is a constant, so that next to nothing has to be sent.
const SCRIPT: &str = "\
\\set n :n + 1
\\set number :base + :client_id * 100000000 + :n
INSERT INTO peer.events (tenant_number, sequence, id, component, environment, message, email, data, data_index, created_at)
VALUES (1, :number::bigint, lpad(to_hex(:number::bigint), 32, '0')::uuid, 'checkout', 'production',
'order ' || lpad(:number::text, 10, '0') || ' is paid and was handed to the warehouse', 'ada@example.com',
'{\"order\":\"' || lpad(:number::text, 10, '0') || '\",\"amount\":\"19.90\",\"currency\":\"EUR\",\"items\":3}',
('{\"1\":{\"order\":\"' || lpad(:number::text, 10, '0') || '\",\"amount\":\"19.90\",\"currency\":\"EUR\",\"items\":3}}')::jsonb, now());
";

/// The peer, ready to run rounds.
pub(super) struct Pgbench<'a> {
    postgres: &'a PrivateServer,
    script: PathBuf,
    pub(super) clients: usize,
    runs: u64,
    inserted: u64,
}

impl<'a> Pgbench<'a> {
    /// Makes its table, and finds how many clients are best for it.
    pub(super) fn prepare(postgres: &'a PrivateServer, folder: &std::path::Path) -> Result<Self> {
        psql::query(postgres, &table())?;
        let script = folder.join("insert.sql");
        fs::write(&script, SCRIPT)?;
        let mut peer = Self { postgres, script, clients: 0, runs: 0, inserted: 0 };
        let mut best = (0.0, 0);
        for clients in CLIENTS {
            peer.clients = clients;
            let per_second = peer.round(TRIAL_SECONDS)?.per_second;
            println!("pgbench, {clients} clients: {per_second:.0}/s");
            if per_second > best.0 {
                best = (per_second, clients);
            }
        }
        peer.clients = best.1;
        Ok(peer)
    }

    /// Inserts for so many seconds.
    pub(super) fn round(&mut self, seconds: u64) -> Result<Figures> {
        self.runs += 1;
        let mut pgbench = self.postgres.tool("pgbench");
        pgbench.args(["-n", "-M", "prepared", "-j", "2", "-D", "n=0", "-c"]).arg(self.clients.to_string());
        pgbench
            .arg("-D")
            .arg(format!("base={}", self.runs * 10_000_000_000))
            .arg("-T")
            .arg(seconds.to_string());
        let output = pgbench.arg("-f").arg(&self.script).arg("postgres").output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let read = (number_behind(&text, "transactions actually processed:"), number_behind(&text, "tps ="));
        let (true, (Some(inserted), Some(per_second))) = (output.status.success(), read) else {
            return Err(format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)).into());
        };
        self.inserted += inserted as u64;
        Ok(Figures { per_second, latency_us: None })
    }

    /// Fails unless everything that it inserted is there.
    pub(super) fn check(&self) -> Result<()> {
        let stored: u64 = psql::query(self.postgres, "SELECT count(*) FROM peer.events")?.parse()?;
        if stored != self.inserted {
            return Err(format!("pgbench inserted {}, and {stored} are there", self.inserted).into());
        }
        Ok(())
    }
}

fn number_behind(text: &str, what: &str) -> Option<f64> {
    text.split_once(what)?.1.split_whitespace().next()?.parse().ok()
}

#[test]
fn what_pgbench_says_is_read() {
    let text = "number of transactions actually processed: 67012\nnumber of failed transactions: 0 (0.000%)\n\
                tps = 22337.501 (without initial connection time)\n";
    assert_eq!(number_behind(text, "transactions actually processed:"), Some(67012.0));
    assert_eq!(number_behind(text, "tps ="), Some(22337.501));
    assert_eq!(number_behind(text, "latency"), None);
}
