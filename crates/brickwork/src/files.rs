//! Static files, alone or beside an application.

use std::path::Path;
use std::sync::Arc;

use brickwork_server::{Exchange, Handler, RequestView, SendfileRoot, StaticFiles};

use crate::config::Mount;

/// Opens the directories.
///
/// # Errors
/// One sentence that names the directory.
pub(crate) fn open(mounts: &[Mount]) -> Result<Vec<StaticFiles>, String> {
    let open = |mount: &Mount| {
        StaticFiles::open(&mount.directory, mount.options.clone())
            .map_err(|error| format!("cannot serve the files in {}: {error}", mount.directory.display()))
    };
    mounts.iter().map(open).collect()
}

/// Opens the directory beneath which the application may name files.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_sendfile_root(directory: &Path) -> Result<Arc<SendfileRoot>, String> {
    let root = SendfileRoot::open(directory);
    root.map(Arc::new).map_err(|error| format!("--sendfile-root {}: {error}", directory.display()))
}

/// Files for the paths that are theirs, the application for all others.
pub(crate) struct Beside {
    files: Vec<StaticFiles>,
    application: Arc<dyn Handler>,
}

impl Beside {
    pub(crate) fn new(files: Vec<StaticFiles>, application: Arc<dyn Handler>) -> Beside {
        Beside { files, application }
    }

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
