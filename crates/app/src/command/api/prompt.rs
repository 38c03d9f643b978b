//! What is missing is asked for at a terminal, and is an error elsewhere.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use super::super::CommandError;

/// As much as is read of an answer.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// What was given as `name`, or else what a person answers to `question`.
pub(super) fn needed(given: Option<String>, name: &str, question: &str) -> Result<String, CommandError> {
    match given {
        Some(given) => Ok(given),
        None => {
            require_terminal(&[name])?;
            ask(name, question)
        }
    }
}

/// As [`needed`], of several: what is missing is told at once.
pub(super) fn all_needed<const N: usize>(
    asked: [(Option<String>, &str, &str); N],
) -> Result<[String; N], CommandError> {
    let missing: Vec<&str> =
        asked.iter().filter(|(given, ..)| given.is_none()).map(|(_, name, _)| *name).collect();
    if !missing.is_empty() {
        require_terminal(&missing)?;
    }
    let mut answers = [const { String::new() }; N];
    for (answer, (given, name, question)) in answers.iter_mut().zip(asked) {
        *answer = needed(given, name, question)?;
    }
    Ok(answers)
}

/// Whether somebody is there who can be asked: what is asked goes to standard error.
pub(super) fn is_somebody_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn require_terminal(missing: &[&str]) -> Result<(), CommandError> {
    if is_somebody_there() {
        return Ok(());
    }
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let missing = missing.join(" and ");
    Err(CommandError::Usage(format!("{missing} {verb} missing, and there is no terminal at which to ask")))
}

/// Asks, and reads one line. Ctrl-C ends the program, as everywhere; Ctrl-D is no answer.
pub(super) fn ask(name: &str, question: &str) -> Result<String, CommandError> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}: ").and_then(|()| stderr.flush()).map_err(CommandError::failed)?;
    let mut line = String::new();
    let read = io::stdin().lock().take(MAX_ANSWER_BYTES).read_line(&mut line);
    match read {
        Ok(0) => {
            let _ = writeln!(stderr);
            Err(CommandError::Usage(format!("{name} was not given")))
        }
        Ok(_) => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(CommandError::Usage(format!("{name} is not UTF-8")))
        }
        Err(error) => Err(CommandError::failed(error)),
    }
}
