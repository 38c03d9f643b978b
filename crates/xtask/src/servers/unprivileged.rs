//! Whom a server runs as, where this runs as root: PostgreSQL refuses to be root, and the others need not be.

use std::fs;
use std::io;

/// A user without privileges, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unprivileged {
    /// Its user's number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
}

/// In the order of preference. The user must have a name: `initdb` asks for it.
const NAMES: [&str; 3] = ["postgres", "_postgres", "nobody"];

impl Unprivileged {
    /// The one that this machine has.
    ///
    /// # Errors
    /// When there is none.
    pub fn of_this_machine() -> io::Result<Self> {
        let passwd = fs::read_to_string("/etc/passwd")?;
        let none = || io::Error::other("no user to run the servers as: neither postgres nor nobody");
        Self::of_passwd(&passwd).ok_or_else(none)
    }

    /// One from the text of `/etc/passwd`.
    fn of_passwd(passwd: &str) -> Option<Self> {
        NAMES.iter().find_map(|name| passwd.lines().find_map(|line| of_line(line, name)))
    }
}

/// `name:password:uid:gid:…`; macOS writes large numbers as negative ones.
fn of_line(line: &str, name: &str) -> Option<Unprivileged> {
    let mut fields = line.split(':');
    if fields.next() != Some(name) {
        return None;
    }
    let mut number = || {
        let text = fields.next()?;
        text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
    };
    number();
    let (uid, gid) = (number()?, number()?);
    (uid != 0).then_some(Unprivileged { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_is_preferred_and_nobody_is_good_enough() {
        let bare = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/:/usr/sbin/nologin\n";
        assert_eq!(Unprivileged::of_passwd(bare), Some(Unprivileged { uid: 65534, gid: 65533 }));
        let with_postgres = format!("{bare}postgres:x:106:114:x:/var/lib/postgresql:/bin/bash\n");
        assert_eq!(Unprivileged::of_passwd(&with_postgres), Some(Unprivileged { uid: 106, gid: 114 }));
    }

    #[test]
    fn negative_numbers_are_large_ones() {
        let macos = "nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n";
        let wanted = Unprivileged { uid: 4_294_967_294, gid: 4_294_967_294 };
        assert_eq!(Unprivileged::of_passwd(macos), Some(wanted));
    }

    #[test]
    fn root_under_another_name_is_not_taken() {
        assert_eq!(Unprivileged::of_passwd("postgres:x:0:0::/:/bin/sh\nnobody:x:bad:1\n"), None);
    }
}
