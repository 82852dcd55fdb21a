//! The master: keeps the workers busy and puts the results in order.

use std::{
    future::IntoFuture,
    io::{self, ErrorKind},
    process::ExitCode,
    sync::Arc,
    thread,
};

use futures_util::{
    Stream, StreamExt, TryStreamExt,
    future::{join_all, select_all, try_join_all},
    stream,
};
use rpc_parallel::{CallError, ConnectError, DeathReport, Spawn, SpawnError, Spawned};
use tokio::sync::mpsc;

use crate::{
    args::Job,
    output::{Console, Output, push_line},
    walk::{self, Batch},
    worker::{ChecksumClient, ChecksumWorker, FileDigest},
};

/// So many batches may be found ahead of the workers.
const AHEAD: usize = 64;
/// So many calls each worker has at once: while it hashes one batch the next is there already.
const CALLS_PER_WORKER: usize = 2;
/// So many batches may be under way, or wait because an earlier one, with a large file, is not through.
const WINDOW: usize = 1024;

/// What a shell reports for a program that SIGPIPE has ended, which is how sha256sum ends when nobody reads its output.
const BROKEN_PIPE: u8 = 128 + 13;

/// What ends the program early.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("{0}")]
    Died(DeathReport),
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    #[error("cannot write: {0}")]
    Output(io::Error),
}

pub(crate) async fn run(job: Job) -> ExitCode {
    let console = Arc::new(Console::new());
    let result = sum_all(job, &console).await;
    console.finish();
    match result {
        Ok(()) if console.has_complained() => ExitCode::FAILURE,
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::from(BROKEN_PIPE),
        Err(error) => {
            console.say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn sum_all(job: Job, console: &Arc<Console>) -> Result<(), Error> {
    let batches = find(job.paths, console)?;
    let spawns = (0..job.workers).map(async |i| ChecksumWorker::spawn(()).name(format!("checksum-{i}")).await);
    let workers: Vec<Spawned<ChecksumClient>> = try_join_all(spawns).await?;
    let clients = try_join_all(workers.iter().map(|worker| worker.connect().into_future())).await?;
    let ends = select_all(workers.iter().map(|worker| Box::pin(worker.exit())));
    let result = tokio::select! {
        result = sum(batches, &clients, console) => result,
        // A worker may die when no call is open on it, or when nobody waits for its calls because of a slow reader.
        (report, ..) = ends => Err(Error::Died(report)),
    };
    // To drop the workers would end them too, but not wait for it. After an error there may be a large file in the works,
    // for which nobody waits.
    match result {
        Ok(()) => drop(join_all(workers.into_iter().map(Spawned::shutdown)).await),
        Err(_) => drop(join_all(workers.into_iter().map(Spawned::kill)).await),
    }
    result
}

/// Finds the files in a thread of its own, since reading directories blocks.
fn find(roots: Vec<std::ffi::OsString>, console: &Arc<Console>) -> Result<impl Stream<Item = Batch>, Error> {
    let (found, mut batches) = mpsc::channel(AHEAD);
    let console = Arc::clone(console);
    let walk = move || walk::walk(roots, &found, &console);
    thread::Builder::new().name("walk".to_owned()).spawn(walk).map_err(Error::Thread)?;
    Ok(stream::poll_fn(move |cx| batches.poll_recv(cx)))
}

/// Has the workers sum the batches, and prints the results in the order of the batches.
async fn sum(batches: impl Stream<Item = Batch>, clients: &[ChecksumClient], console: &Console) -> Result<(), Error> {
    let mut output = Output::start(console).map_err(Error::Thread)?;
    // Who is free is in a channel, once for each call that it may have: a batch goes to whoever is free first.
    let (free, mut next_free) = mpsc::unbounded_channel();
    for client in clients.iter().cycle().take(clients.len() * CALLS_PER_WORKER) {
        // The other end is below.
        let _ = free.send(client.clone());
    }
    let next_free = stream::poll_fn(|cx| next_free.poll_recv(cx));
    let summed = batches.zip(next_free).map(async |(batch, client)| {
        let digests = client.digests(&batch.paths).await?;
        let _ = free.send(client);
        Ok::<_, Error>((batch, digests))
    });
    // `buffered` gives the results in order, and takes no further batches while too many wait for an earlier one.
    let mut results = std::pin::pin!(summed.buffered(WINDOW));
    while let Some((batch, digests)) = results.try_next().await? {
        output.write(lines(&batch, digests, console)).await.map_err(Error::Output)?;
        console.summed(batch.bytes);
    }
    output.close().await.map_err(Error::Output)
}

/// What a batch's results look like on stdout. Files that could not be read show up on stderr only.
fn lines(batch: &Batch, digests: Vec<FileDigest>, console: &Console) -> Vec<u8> {
    let mut lines = Vec::with_capacity(128 * batch.paths.len());
    for (path, digest) in batch.paths.iter().zip(digests) {
        match digest {
            Ok(digest) => push_line(&mut lines, &digest, path),
            Err(error) => console.complain(path, &error),
        }
    }
    lines
}
