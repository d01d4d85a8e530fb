//! A child of the supervisor that answers health checks while a zygote imports the application. It never imports it.
//!
//! Other requests are asked to come back: once a request was read, its connection cannot be handed on to a worker.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use brickwork_command::Config;
use brickwork_server::{Content, Exchange, Handler, RequestView};
use brickwork_supervisor::{Channel, RESPONDER_LEAVES_WITHIN};
use pyo3::prelude::*;

use crate::application::LoadError;
use crate::front::{Front, Place};
use crate::recycle::Worn;

/// Answers until the supervisor needs it no more; returns the process's exit status.
pub(crate) fn run(py: Python<'_>, config: &Config, channel: &Channel, listeners: Vec<OwnedFd>, worn: &Worn) -> u8 {
    match begin(config, listeners, worn) {
        Ok(front) => {
            py.detach(|| channel.wait_for_end());
            front.finish(py, RESPONDER_LEAVES_WITHIN);
            0
        }
        Err(LoadError { message, .. }) => {
            tracing::warn!("health checks wait until a worker is ready: {message}");
            1
        }
    }
}

fn begin(config: &Config, listeners: Vec<OwnedFd>, worn: &Worn) -> Result<Front, LoadError> {
    let front = Front::start(config, Place::apart(), worn)?;
    front.complete(Arc::new(Later));
    front.listen(listeners)?;
    Ok(front)
}

/// Asks everybody to come back.
struct Later;

impl Handler for Later {
    fn handle(&self, exchange: &mut Exchange) {
        let response = &mut exchange.response;
        let started = response.start(503, b"Service Unavailable").is_ok()
            && response.field(b"Retry-After", b"1").is_ok()
            // The next request on this connection would find nobody either.
            && response.field(b"Connection", b"close").is_ok()
            && response.field(b"Content-Type", b"text/plain").is_ok();
        if started {
            // Whoever asked has gone if this fails.
            let _ =
                exchange.send(Content::Owned(b"503 Service Unavailable: the application is being imported\n".to_vec()));
        }
    }

    fn is_native(&self, _: RequestView<'_>) -> bool {
        true
    }
}
