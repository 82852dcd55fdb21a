//! A spawn, whatever the client's type is.
//!
//! What a program does with a type of its own is compiled with that program, again and again: here is all that needs none.

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;

use crate::{
    bootstrap::{Charge, Ending, Ready},
    build::build_id,
    client::ClientCore,
    connection::ConnectError,
    cpus,
    function::Interface,
    id::WorkerTypeId,
    power,
    process::{Launch, OnMasterLoss, OwnedProcess, Program, Redirect, Stderr, launch},
    registry::Registry,
    runtime,
    server::OpenAnswer,
    settings::Settings,
    spawn::{
        SpawnError,
        connect::{self, First, Inherited},
        contact::{Contact, draw},
    },
    transport::Address,
};

/// What to spawn, and how.
pub(super) struct Plan {
    arg: Result<Vec<u8>, String>,
    worker_type: WorkerTypeId,
    pub(super) worker_type_name: &'static str,
    pub(super) name: Option<String>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) current_dir: Option<PathBuf>,
    pub(super) stdout: Redirect,
    pub(super) stderr: Stderr,
    pub(super) executable: Option<PathBuf>,
    pub(super) settings: Settings,
    pub(super) threads: usize,
    pub(super) start_timeout: Duration,
    pub(super) grace: Duration,
}

/// A worker that is ready.
pub(super) struct Launched {
    pub(super) contact: Contact,
    pub(super) owned: OwnedProcess,
    /// The connection that the worker inherited.
    pub(super) first: First,
}

/// A request to open a trait goes with the ticket up to this size, which no settings refuse. A larger one is a call like
/// others.
const SMALL_OPENING: usize = 1 << 10;

impl Plan {
    pub(super) fn new(
        worker_type: WorkerTypeId,
        worker_type_name: &'static str,
        arg: Result<Vec<u8>, String>,
    ) -> Self {
        Self {
            arg,
            worker_type,
            worker_type_name,
            name: None,
            env: Vec::new(),
            current_dir: None,
            stdout: Redirect::Inherit,
            stderr: Stderr::Relay,
            executable: None,
            settings: Settings::default(),
            threads: 1,
            start_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }

    /// Starts the worker.
    pub(super) fn launched(
        self,
        interface: &'static Interface,
        ending: Ending,
    ) -> BoxFuture<'static, Result<Launched, SpawnError>> {
        Box::pin(async move { Ok(self.launch(interface, ending, None).await?.0) })
    }

    /// Starts the worker, and binds it to a client: the worker ends when that is gone.
    pub(super) fn connected(
        self,
        interface: &'static Interface,
        arg: Result<Vec<u8>, ConnectError>,
    ) -> BoxFuture<'static, Result<ClientCore, SpawnError>> {
        Box::pin(async move {
            let arg = arg?;
            // Of another program it is not known whether the signatures have to go along.
            let opening = match self.executable {
                None => Some(connect::request(interface, arg.clone(), Vec::new())?),
                Some(_) => None,
            };
            let opening = opening.filter(|request| request.len() <= SMALL_OPENING);
            let (launched, opened) = self.launch(interface, Ending::FirstConnection, opening).await?;
            let Launched { contact, owned, first } = launched;
            let process = owned.process().clone();
            // The worker sees by itself that its connection has ended, unless it is busy: then it is killed in the end.
            let inherited = Inherited { first: Some(first), process, bound: Some(owned) };
            Ok(match opened {
                Some(answer) => connect::connect_opened(&contact, interface, answer, inherited).await?,
                None => connect::connect(&contact, interface, arg, Some(inherited)).await?,
            })
        })
    }

    /// Starts the worker, and has it open the first connection like this.
    async fn launch(
        self,
        interface: &'static Interface,
        ending: Ending,
        opening: Option<Vec<u8>>,
    ) -> Result<(Launched, Option<OpenAnswer>), SpawnError> {
        if !runtime::is_here() {
            return Err(SpawnError::NoRuntime);
        }
        let system =
            |error: std::io::Error| SpawnError::NotStarted { what: "a worker".to_owned(), error: Arc::new(error) };
        let (id, key) = draw().map_err(system)?;
        let arg = self.arg.map_err(|error| SpawnError::BadRequest(format!("the argument of the worker: {error}")))?;
        let same_image = self.executable.is_none();
        if same_image {
            Registry::global().map_err(|error| SpawnError::NotRegistered(error.to_string()))?;
        }
        let charge = Charge {
            id,
            name: self.name.clone(),
            worker_type: self.worker_type,
            worker_type_name: self.worker_type_name.to_owned(),
            interface: interface.id,
            interface_name: interface.name.to_owned(),
            build: same_image.then(build_id),
            key,
            cpus: cpus::online(),
            on_battery: power::on_battery(Instant::now()),
            settings: self.settings.clone(),
            ending,
            threads: self.threads,
            opening,
            arg,
        };
        let ticket =
            charge.encode().map_err(|error| SpawnError::BadRequest(format!("the worker's ticket: {error}")))?;
        let label = self.name.clone().unwrap_or_else(|| id.to_string());
        let mut request = Launch::new(label.clone(), ticket);
        request.program = self.executable.map_or(Program::SameImage, Program::Path);
        request.env = self.env;
        request.current_dir = self.current_dir;
        request.stdout = self.stdout;
        request.stderr = self.stderr;
        request.start_timeout = self.start_timeout;
        request.grace = self.grace;
        request.on_master_loss = match ending {
            Ending::Request => OnMasterLoss::Survive,
            Ending::FirstConnection | Ending::Master => OnMasterLoss::End,
        };
        let (process, ready, socket) =
            launch(request).await.map_err(|error| SpawnError::from_launch(&label, error))?;
        let owned = process.owned();
        let ready = Ready::decode(&ready)
            .map_err(|error| SpawnError::System { name: label, text: format!("its greeting is garbled: {error}") })?;
        let contact = Contact {
            id,
            name: self.name,
            pid: process.pid(),
            host: process.host().to_owned(),
            address: ready.address.unwrap_or_else(Address::of_nobody),
            key,
            settings: self.settings,
        };
        Ok((Launched { contact, owned, first: First { socket, same_image } }, ready.opened))
    }
}
