//! The file that says which process the supervisor is.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use nix::sys::signal::kill;
use nix::unistd::{Pid, getpid};

/// A file with our process id in it; removed when dropped, if it still has.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Makes the file. One that a dead process left behind is replaced.
    ///
    /// # Errors
    /// As open(2); AlreadyExists if the process that it names is alive.
    pub fn create(path: PathBuf) -> io::Result<PidFile> {
        if let Ok(pid) = read_pid(&path)
            && pid != getpid().as_raw()
            && kill(Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH)
        {
            return Err(io::Error::new(ErrorKind::AlreadyExists, format!("process {pid} runs already")));
        }
        // By a name of its own first: nobody reads half a number.
        let draft = path.with_extension(format!("{}.new", getpid()));
        let written = fs::File::create(&draft).and_then(|mut file| writeln!(file, "{}", getpid()));
        if let Err(error) = written.and_then(|()| fs::rename(&draft, &path)) {
            let _ = fs::remove_file(&draft);
            return Err(error);
        }
        Ok(PidFile(std::path::absolute(path)?))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if read_pid(&self.0).is_ok_and(|pid| pid == getpid().as_raw()) {
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// The process id in a file.
///
/// # Errors
/// As read(2); InvalidData if there is no number in it.
pub fn read_pid(path: &Path) -> io::Result<i32> {
    let text = fs::read_to_string(path)?;
    let pid = text.trim().parse::<i32>().ok().filter(|&pid| pid > 0);
    pid.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "there is no process id in it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_what_the_dead_left_and_respects_the_living() {
        let path = std::env::temp_dir().join(format!("brickwork-pid-test-{}", std::process::id()));
        for (content, is_taken) in [("4194304\n", false), ("nonsense", false), ("1\n", true)] {
            fs::write(&path, content).unwrap();
            match PidFile::create(path.clone()) {
                Ok(file) => {
                    assert!(!is_taken, "{content}");
                    assert_eq!(read_pid(&path).unwrap(), getpid().as_raw());
                    drop(file);
                    assert!(!path.exists());
                }
                Err(error) => assert!(is_taken && error.kind() == ErrorKind::AlreadyExists, "{content}: {error}"),
            }
        }
        fs::remove_file(&path).unwrap();
    }
}
