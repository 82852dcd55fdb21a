//! Who connects to a worker without a right to.

use std::{
    io::{self, Read, Write},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixStream},
    },
    thread,
    time::Duration,
};

use rpc_parallel::{Address, CloseKind, ConnectError, HandshakeFailure, Refusal, Spawn, Spawned};
use rpc_parallel_tests::within;
use rustix::process::{Uid, geteuid};

use crate::vault::{Opened, Safe, VaultClient};

/// A user who owns nothing, as on every Linux.
const NOBODY: u32 = 65534;

fn reach(address: &Address) -> io::Result<UnixStream> {
    let Address::Abstract(name) = address else { panic!("{address}") };
    let stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

async fn works(worker: &Spawned<VaultClient>) {
    let client = within("a connection", async { worker.worker().connect().await }).await.unwrap();
    assert_eq!(within("a call", client.measure()).await.unwrap(), 6);
}

/// A socket without a file has no permissions, so the worker asks the kernel who connects: a process of another user gets
/// nothing, not even a greeting. Only root can try this; for others it passes without a look.
#[tokio::test]
async fn another_user_gets_nothing() {
    if !geteuid().is_root() {
        println!("not tried: to be another user one has to be root");
        return;
    }
    let worker = Safe::spawn("secret".into()).await.unwrap();
    let address = worker.address().clone();
    let heard = tokio::task::spawn_blocking(|| {
        // The same user gets a greeting, so that what follows says something.
        reach(&address)?.read_exact(&mut [0; 8])?;
        // The kernel has a user for each thread, and notes that of the one that connects.
        thread::spawn(move || {
            let nobody = Uid::from_raw(NOBODY);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody)?;
            let mut stream = reach(&address)?;
            let mut heard = Vec::new();
            let end = stream.read_to_end(&mut heard);
            Ok::<_, io::Error>((heard, end.map_err(|error| error.kind())))
        })
        .join()
        .unwrap()
    });
    let (heard, end) = heard.await.unwrap().unwrap();
    assert_eq!(heard, b"");
    assert!(matches!(end, Ok(0) | Err(io::ErrorKind::ConnectionReset)), "{end:?}");
    works(&worker).await;
}

/// Nor is a process of the same user let in that does not have the key: the two prove it to each other, and whoever
/// cannot is told so and left.
#[tokio::test]
async fn without_the_key_there_is_no_connection() {
    let worker = Safe::spawn("secret".into()).await.unwrap();
    let (mut handle, rest) = Opened::of(worker.worker());
    for bit in [1, 128] {
        handle.key[7] ^= bit;
        let forged = handle.close::<VaultClient>(&rest);
        assert_eq!(forged.id(), worker.id());
        match within("a refusal", async { forged.connect().await }).await {
            Err(ConnectError::Handshake { reason, .. }) => {
                let CloseKind::HandshakeFailed(_, failure) = reason.kind() else { panic!("{reason}") };
                assert!(
                    matches!(
                        failure,
                        HandshakeFailure::AuthFailed | HandshakeFailure::RefusedByPeer(Refusal::AuthFailed)
                    ),
                    "{reason}"
                );
            }
            other => panic!("{other:?}"),
        }
        works(&worker).await;
    }
}

/// Bytes that are no greeting cost their sender the connection, and the worker nothing.
#[tokio::test]
async fn noise_costs_its_own_connection() {
    let worker = Safe::spawn("secret".into()).await.unwrap();
    let address = worker.address().clone();
    let ends = tokio::task::spawn_blocking(move || {
        for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 8192], &[0xff; 3]] {
            let mut stream = reach(&address)?;
            // It may be closed before all is written.
            let _ = stream.write_all(noise);
            let mut heard = Vec::new();
            let _ = stream.read_to_end(&mut heard);
            // A greeting at most, which has nothing secret in it.
            assert!(heard.len() <= 4096 + 2048, "{} bytes", heard.len());
        }
        Ok::<_, io::Error>(())
    });
    within("the worker hangs up", ends).await.unwrap().unwrap();
    works(&worker).await;
}
