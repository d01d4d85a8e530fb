//! Static files, alone or beside an application.

use std::io;
use std::path::Path;
use std::sync::Arc;

use brickwork_command::Mount;
use brickwork_server::{Exchange, Handler, RequestView, SendfileRoot, StaticFiles};

/// Opens the directories.
///
/// # Errors
/// One sentence that names the directory.
pub(crate) fn open(mounts: &[Mount]) -> io::Result<Vec<StaticFiles>> {
    let open = |mount: &Mount| {
        let name = || format!("cannot serve the files in {}", mount.directory.display());
        StaticFiles::open(&mount.directory, mount.options.clone()).map_err(|error| named(name(), &error))
    };
    mounts.iter().map(open).collect()
}

/// Opens the directory beneath which the application may name files.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_sendfile_root(directory: &Path) -> io::Result<Arc<SendfileRoot>> {
    let name = || format!("--sendfile-root {}", directory.display());
    SendfileRoot::open(directory).map(Arc::new).map_err(|error| named(name(), &error))
}

fn named(name: String, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

/// Files for the paths that are theirs, the application for all others.
struct Beside {
    files: Vec<StaticFiles>,
    application: Arc<dyn Handler>,
}

/// The application, with files beside it if there are any.
pub(crate) fn beside(files: Vec<StaticFiles>, application: Arc<dyn Handler>) -> Arc<dyn Handler> {
    if files.is_empty() { application } else { Arc::new(Beside { files, application }) }
}

impl Beside {
    fn files_for(&self, request: RequestView<'_>) -> Option<&StaticFiles> {
        self.files.iter().find(|files| files.serves(request))
    }
}

impl Handler for Beside {
    fn handle(&self, exchange: &mut Exchange) {
        match self.files_for(exchange.request()) {
            Some(files) => files.handle(exchange),
            None => self.application.handle(exchange),
        }
    }

    fn is_native(&self, request: RequestView<'_>) -> bool {
        self.files_for(request).is_some() || self.application.is_native(request)
    }
}
