//! A Python that has `requests`, with which the old contracts are called as their users called them.
//!
//! Where the machine's own has none, they are put into a virtual environment in the target folder, which later runs find
//! there; where Python can make none, Debian's package is installed if that may be done. Where neither is possible
//! the test says that it was skipped.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::servers::discovery::Places;
use crate::servers::installation::Debian;
use crate::workspace;

/// The variable that names the interpreter for the test.
const VARIABLE: &str = "TENANTRY_TEST_PYTHON";

/// What is installed.
const REQUIREMENT: &str = "requests>=2.28,<3";

/// The variable with a Python that has `requests`; nothing where there is none, which is said on standard error. One that
/// is given in the environment is used as it is.
pub(crate) fn bring() -> Option<(OsString, OsString)> {
    if env::var_os(VARIABLE).is_some_and(|python| !python.is_empty()) {
        return None;
    }
    let places = Places::of_this_machine();
    let found = environment_folder().and_then(|folder| find(Path::new("python3"), &folder, &places));
    match found {
        Ok(python) => Some((VARIABLE.into(), python.into())),
        Err(why) => {
            eprintln!("xtask: no Python has requests ({why}): the test that needs it is skipped");
            None
        }
    }
}

/// Where the virtual environment is, or will be.
fn environment_folder() -> Result<PathBuf, String> {
    let target = match env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target),
        None => workspace::root().map_err(|error| error.to_string())?.join("target"),
    };
    // The environment's programs are called from anywhere.
    std::path::absolute(target.join("xtask-python")).map_err(|error| error.to_string())
}

/// A Python with `requests`: this one, that of the virtual environment in this folder, or this one once more after
/// Debian's package was installed.
fn find(python: &Path, folder: &Path, places: &Places) -> Result<PathBuf, String> {
    if !succeeds(python, &["-c", ""]) {
        return Err(format!("there is no {}", python.display()));
    }
    let own = folder.join("bin/python");
    if let Some(ready) = [python, &own].into_iter().find(|python| has_requests(python)) {
        return Ok(ready.to_path_buf());
    }
    eprintln!("xtask: Python has no requests: installing them into {}", folder.display());
    let why = match install(python, folder, &own) {
        Ok(()) => return Ok(own),
        Err(why) => why,
    };
    let Some(debian) = Debian::of(places) else { return Err(why) };
    eprintln!("xtask: {why}: installing python3-requests by apt-get");
    match debian.install(&["python3-requests"]) {
        Ok(true) if has_requests(python) => Ok(python.to_path_buf()),
        _ => Err(why),
    }
}

/// Makes the virtual environment, and installs `requests` into it.
fn install(python: &Path, folder: &Path, own: &Path) -> Result<(), String> {
    // What a run that was broken off has left may be of no use.
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let shown = folder.to_str().ok_or("the folder's name is no text")?;
    if !succeeds(python, &["-m", "venv", shown]) {
        return Err("python3 -m venv failed".to_owned());
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT];
    if !succeeds(own, &install) || !has_requests(own) {
        return Err(format!("pip install {REQUIREMENT} failed"));
    }
    Ok(())
}

fn has_requests(python: &Path) -> bool {
    succeeds(python, &["-c", "import requests"])
}

/// Whether it ends with 0. What it says is not shown: that something is missing is no fault.
fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder, gone with this.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = env::temp_dir().join(format!("xtask-python-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        /// A script that stands for a Python.
        fn python(&self, script: &str) -> PathBuf {
            let python = self.0.join("python3");
            fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
            python
        }

        /// Looks for one with requests; no package may be installed.
        fn find(&self, python: &Path) -> Result<PathBuf, String> {
            find(python, &self.0.join("environment"), &Places::none())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Makes environments in which pip installs requests, or does not.
    fn venv(pip: &str) -> String {
        format!(
            r#"
[ "$2" != "import requests" ] || exit 1
[ "$1 $2" != "-m venv" ] || {{
    mkdir -p "$3/bin"
    printf '#!/bin/sh\ncase "$*" in *"pip install"*) {pip} ;; *"import requests"*) [ -e "$0.requests" ] ;; esac\n' >"$3/bin/python"
    chmod 755 "$3/bin/python"
}}"#
        )
    }

    #[test]
    fn a_python_with_requests_is_used_as_it_is() {
        let folder = Folder::new("ready");
        let python = folder.python("exit 0");
        assert_eq!(folder.find(&python), Ok(python));
        assert!(!folder.0.join("environment").exists());
    }

    #[test]
    fn a_python_without_them_gets_an_environment_that_is_found_again() {
        let folder = Folder::new("new");
        let python = folder.python(&venv(r#"touch "$0.requests""#));
        fs::create_dir_all(folder.0.join("environment/left behind")).unwrap();
        let own = folder.0.join("environment/bin/python");
        assert_eq!(folder.find(&python), Ok(own.clone()));
        assert!(!folder.0.join("environment/left behind").exists());
        let python = folder.python(r#"[ "$1$2" = "-c" ]"#);
        assert_eq!(folder.find(&python), Ok(own), "nothing is made once more");
    }

    #[test]
    fn what_is_not_possible_is_said() {
        let folder = Folder::new("none");
        let missing = folder.0.join("nowhere");
        assert!(folder.find(&missing).unwrap_err().starts_with("there is no "));
        let python = folder.python(r#"[ "$1$2" = "-c" ]"#);
        assert_eq!(folder.find(&python), Err("python3 -m venv failed".to_owned()));
        let python = folder.python(&venv("exit 1"));
        assert_eq!(folder.find(&python), Err(format!("pip install {REQUIREMENT} failed")));
    }
}
