//! What a worker does with its ticket: it makes its state, serves, and ends when it should.

use std::{future::poll_fn, os::unix::process::parent_id, pin::pin, process, sync::Arc, task::Poll, time::Instant};

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use super::{
    Ticket,
    charge::{Charge, Ending, Ready, StartFailure},
    lifeline::Tied,
    role,
};
use crate::{
    build::set_build_id,
    codec,
    connection::Shared,
    cpus,
    fault::Fault,
    power,
    registry::{Registration, Registry},
    runtime,
    server::{CLOSE_LIMIT, CLOSE_REASON, Server, ServerConfig, Serving},
};

/// Runs the worker.
pub(crate) fn run(ticket: Ticket) -> ! {
    #[cfg(test)]
    if codec::decode::<Charge>(&ticket.bytes).is_err() {
        crate::process::tests::commands::run(ticket);
    }
    let Ticket { bytes, name, control, tied, .. } = ticket;
    let fail = |failure: &StartFailure| -> ! {
        control.failed(&postcard::to_stdvec(failure).unwrap_or_default());
    };
    let charge: Charge = match codec::decode(&bytes) {
        Ok(charge) => charge,
        Err(error) => fail(&StartFailure::System(format!("its ticket cannot be decoded: {error}"))),
    };
    drop(bytes);
    role::set_worker(charge.id, charge.name.clone());
    let registration = match find(&charge) {
        Ok(registration) => registration,
        Err(text) => fail(&StartFailure::NotRegistered(text)),
    };
    if let Some(build) = charge.build {
        set_build_id(build);
    }
    cpus::set_online(charge.cpus);
    power::set_on_battery(Instant::now(), charge.on_battery);
    let runtime = match build_runtime(charge.threads, name) {
        Ok(runtime) => runtime,
        Err(error) => fail(&StartFailure::System(format!("its runtime cannot be started: {error}"))),
    };
    let sender = control.clone();
    let worker = async {
        let ending = charge.ending;
        // The spawner has sent its end's twin with the ticket, over a socket that nobody else has, and runs the same image.
        let acquainted = charge.build.map(|_| parent_id());
        let mut starting = pin!(start(charge, registration));
        let mut tied = tied;
        let started = match poll_fn(|cx| Poll::Ready(starting.as_mut().poll(cx))).await {
            Poll::Ready(started) => started,
            Poll::Pending => {
                // What waits for something has time for the lifeline's thread.
                start_lifeline(&mut tied);
                starting.await
            }
        };
        let Started { server, serving, ready } = started?;
        let request = Arc::clone(&server);
        sender.on_shutdown(move || request.shutdown());
        // Before the connection is served, for what is said there comes behind it.
        let first = match sender.ready(&postcard::to_stdvec(&ready).unwrap_or_default()) {
            Some(stream) => {
                match tied.take_if(|tied| tied.is_leashed()) {
                    Some(tied) => drop(runtime::spawn(Box::pin(tied.start_thread_later()))),
                    // While the spawner is at work with what was just said, and before a handler can run.
                    None => start_lifeline(&mut tied),
                }
                server.serve(stream, acquainted, serving).map_err(system("it cannot use its first connection"))?
            }
            // Somebody is about to say why this worker cannot serve.
            None => std::future::pending().await,
        };
        serve(&server, ending, first).await;
        Ok::<_, StartFailure>(())
    };
    match runtime::run(&runtime, worker) {
        // Handlers that still run, also on the blocking pool, end with the process.
        Ok(()) => process::exit(0),
        Err(failure) => fail(&failure),
    }
}

fn find(charge: &Charge) -> Result<&'static Registration, String> {
    // A spawner of the same image has found no fault with the registry.
    if charge.build.is_some()
        && let Some(registration) = Registry::pick(&charge.worker_type_name, charge.interface)
    {
        return Ok(registration);
    }
    let registry = Registry::global().map_err(ToString::to_string)?;
    registry
        .find((charge.worker_type, &charge.worker_type_name), (charge.interface, &charge.interface_name))
        .map_err(|error| error.to_string())
}

fn build_runtime(threads: usize, name: String) -> std::io::Result<Runtime> {
    let mut builder = match threads {
        0 | 1 => Builder::new_current_thread(),
        _ => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads).thread_name(name);
            builder
        }
    };
    // tokio's own number has room for 12 KiB of events, in pages that nothing else would have used yet.
    builder.enable_all().max_io_events_per_tick(EVENTS).build()
}

/// How many events the poller tells at once. A worker of more connections than that is told of the others at once, too.
const EVENTS: usize = 128;

/// A failure of the state. Of one that no message can hold the beginning is told.
fn told(fault: Fault) -> StartFailure {
    let text = fault.message().len() + fault.sources().iter().map(String::len).sum::<usize>();
    StartFailure::Init(if text > FAULT_LIMIT { fault.cut(FAULT_LIMIT) } else { fault })
}

/// The longest error of a worker's state that the spawner is told in full.
const FAULT_LIMIT: usize = 1 << 20;

/// A worker that is about to serve.
struct Started {
    server: Arc<Server>,
    /// What serves the first connection.
    serving: Serving,
    ready: Ready,
}

/// Makes the state, listens, and opens the trait for the first connection.
async fn start(charge: Charge, registration: &'static Registration) -> Result<Started, StartFailure> {
    let config = ServerConfig { id: charge.id, name: charge.name, key: charge.key, settings: charge.settings };
    let server = Server::start(registration, Bytes::from(charge.arg), config).await.map_err(told)?;
    let address = match charge.ending {
        Ending::FirstConnection => None,
        Ending::Master | Ending::Request => Some(server.listen().map_err(system("it cannot listen"))?),
    };
    let (serving, opened) = match &charge.opening {
        Some(request) => {
            let (serving, answer) = Serving::opened(Arc::clone(&server), request).await;
            (serving, Some(answer))
        }
        None => (Serving::new(Arc::clone(&server)), None),
    };
    Ok(Started { server, serving, ready: Ready { address, opened } })
}

fn system(what: &'static str) -> impl Fn(std::io::Error) -> StartFailure {
    move |error| StartFailure::System(format!("{what}: {error}"))
}

/// Gives the lifeline its thread, if it has none yet.
fn start_lifeline(tied: &mut Option<Tied>) {
    if let Some(mut tied) = tied.take()
        && tied.start_thread().is_err()
    {
        runtime::spawn(Box::pin(tied.start_thread_at_last()));
    }
}

/// Serves until the worker should end, and ends its connections.
async fn serve(server: &Server, ending: Ending, first: Arc<Shared>) {
    let first_ended = async move {
        match ending {
            Ending::FirstConnection => drop(first.closed().await),
            Ending::Master | Ending::Request => {
                // Held here it would have its buffers for as long as the worker lives.
                drop(first);
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = server.shutdown_requested() => {}
        () = first_ended => {}
    }
    server.close_listener();
    server.close_connections(CLOSE_LIMIT, CLOSE_REASON).await;
}
