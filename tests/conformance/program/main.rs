//! A program of its own, for scenarios in which the master's life or image matters. It does what its first argument
//! says and talks to the test over stdin and stdout.

use std::{
    fs,
    io::{self, BufRead, Write},
    time::Duration,
};

use futures_util::future::try_join_all;
use rpc_parallel::{ConnectError, Redirect, Settings, Spawn, SpawnError, Worker};

mod workers;

use workers::{Bound, BoundClient, Pinned, Primary, Product, Sum};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if arguments == ["idle"] {
        return idle();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match arguments[..] {
            ["sum"] => sum().await,
            ["hold"] => hold().await,
            ["masters", primaries, secondaries] => masters(primaries.parse()?, secondaries.parse()?).await,
            ["detach"] => detach().await,
            ["shutdown", handle] => Ok(decode::<BoundClient>(handle).shutdown().await?),
            ["bump", handle] => bump(handle).await,
            ["image"] => image().await,
            ["zombies"] => zombies().await,
            ["serve"] => serve().await,
            ["cli", ..] => cli().await,
            _ => Err("unknown arguments".into()),
        }
    })
}

/// What the library costs a program that does not use it: threads, sockets, and what polls sockets.
fn idle() -> Outcome {
    let threads = fs::read_dir("/proc/self/task")?.count();
    let mut opened = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let path = entry?.path();
        let Ok(target) = fs::read_link(&path) else { continue };
        let target = target.to_string_lossy().into_owned();
        if target.starts_with("socket:") || target.starts_with("anon_inode:") {
            opened.push(target);
        }
    }
    println!("{threads} {}", opened.len());
    Ok(())
}

async fn sum() -> Outcome {
    let (null, sink) = (Redirect::Null, Redirect::Null);
    let sum = Sum::spawn(()).stdout(null.clone()).stderr(sink.clone()).connect().await?;
    let product = Product::spawn(()).stdout(null).stderr(sink).connect().await?;
    println!("{} {}", sum.pid().await?, product.pid().await?);
    println!("{}\n{}\n{}", sum.sum(42).await?, sum.sum(10).await?, product.product(10).await?);
    // Nobody closes the connections.
    std::mem::forget((sum, product));
    Ok(())
}

/// Holds one worker of each kind that must not survive, and ends as it is told.
async fn hold() -> Outcome {
    let owned = Bound::spawn(String::new()).await?;
    let client = Bound::spawn(String::new()).connect_with(String::new()).await?;
    println!("{} {}", owned.pid(), client.pid().await?);
    match line().as_str() {
        "return" => {}
        "exit" => std::process::exit(3),
        "panic" => panic!("on purpose"),
        "abort" => std::process::abort(),
        other => panic!("{other:?}"),
    }
    // A master that ends without a word to its workers.
    std::mem::forget((owned, client));
    Ok(())
}

async fn masters(primaries: u32, secondaries: u32) -> Outcome {
    let primaries = (0..primaries).map(|_| Primary::spawn(()).connect().into_future());
    let primaries = try_join_all(primaries).await?;
    let mut pids = Vec::new();
    for (i, primary) in primaries.iter().enumerate() {
        pids.push(primary.pid().await?);
        for (j, (pid, answer)) in primary.grow(secondaries).await?.into_iter().enumerate() {
            pids.push(pid);
            println!("Primary worker #{i}: Secondary worker #{j}: {answer}");
        }
    }
    println!("{}", pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" "));
    line();
    std::mem::forget(primaries);
    Ok(())
}

async fn detach() -> Outcome {
    let worker = Bound::spawn(String::new()).detach().await?;
    println!("{}\n{}", worker.pid(), encode(&worker));
    Ok(())
}

async fn bump(handle: &str) -> Outcome {
    let client = decode::<BoundClient>(handle).connect_with(String::new()).await?;
    println!("{}", client.bump().await?);
    Ok(())
}

/// Starts a worker, waits, and starts another.
async fn image() -> Outcome {
    let first = Sum::spawn(()).connect().await?;
    println!("{}", first.sum(10).await?);
    while line() == "again" {
        let next = Sum::spawn(()).connect().await?;
        println!("{}", next.sum(42).await?);
    }
    Ok(())
}

/// Two spawns that fail: nothing is left of either.
async fn zombies() -> Outcome {
    match Bound::spawn("hang".to_owned()).start_timeout(Duration::from_millis(1)).await {
        Err(SpawnError::TimedOut { .. }) => no_children().await?,
        other => return Err(format!("{other:?}").into()),
    }
    match Bound::spawn(String::new()).connect_with("panic".to_owned()).await {
        Err(SpawnError::Connect(ConnectError::Refused { .. })) => no_children().await?,
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}

async fn no_children() -> Outcome {
    // The keeper reaps on its own thread, and never later than this unless it is broken.
    for _ in 0..6000 {
        if children()?.is_empty() {
            println!("No zombies");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(format!("still there: {:?}", children()?).into())
}

/// The processes whose parent this is, zombies included.
fn children() -> io::Result<Vec<String>> {
    let us = std::process::id().to_string();
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1));
        if parent == Some(&us) {
            children.push(stat);
        }
    }
    Ok(children)
}

/// Serves functions with pinned names to programs that are other builds.
async fn serve() -> Outcome {
    let mut settings = Settings::default();
    settings.allow_other_builds = true;
    let served = Pinned::serve::<workers::SwappedClient>(()).settings(settings).await?;
    println!("{}", encode(&served));
    line();
    Ok(())
}

/// A command line that a worker would choke on, and that must be read in the master alone.
async fn cli() -> Outcome {
    println!("main");
    let worker = Sum::spawn(()).connect().await?;
    println!("{}", worker.marker().await?);
    Ok(())
}

/// The next line from the test; empty at its end.
fn line() -> String {
    let _ = io::stdout().flush();
    let mut line = String::new();
    let _ = io::stdin().lock().read_line(&mut line);
    line.trim_end().to_owned()
}

fn encode<C>(worker: &Worker<C>) -> String {
    postcard::to_stdvec(worker).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode<C>(hex: &str) -> Worker<C> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    postcard::from_bytes(&bytes).unwrap()
}
