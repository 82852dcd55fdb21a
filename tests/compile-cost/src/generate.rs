//! The programs: the same trait, once for each library.

use std::fmt::Write;

/// Which methods a trait has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// All alike: a number for a number.
    Numbers,
    /// Five shapes in turn, each with types of its own.
    Mixed,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Numbers, Self::Mixed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Numbers => "u64 → u64",
            Self::Mixed => "mixed",
        }
    }

    fn shape(self, index: usize) -> &'static Shape {
        match self {
            Self::Numbers => &SHAPES[0],
            Self::Mixed => &SHAPES[index % SHAPES.len()],
        }
    }
}

/// One method: its parameters, what it returns, its body, and the arguments of its call.
struct Shape {
    parameters: &'static str,
    output: &'static str,
    body: &'static str,
    arguments: &'static str,
}

const SHAPES: [Shape; 5] = [
    Shape { parameters: "n: u64", output: "u64", body: "n + 1", arguments: "7" },
    Shape {
        parameters: "name: String, count: u32",
        output: "String",
        body: "name.repeat(count as usize)",
        arguments: "\"x\".to_owned(), 3",
    },
    Shape {
        parameters: "bytes: Vec<u8>, at: usize",
        output: "Option<u8>",
        body: "bytes.get(at).copied()",
        arguments: "vec![1, 2], 1",
    },
    Shape { parameters: "point: Point", output: "Point", body: "point", arguments: "Point { x: 1, y: 2 }" },
    Shape {
        parameters: "n: u64",
        output: "Result<u64, String>",
        body: "n.checked_add(1).ok_or_else(String::new)",
        arguments: "7",
    },
];

const POINT: &str =
    "#[derive(Debug, serde::Deserialize, serde::Serialize)]\npub struct Point {\n    x: u32,\n    y: u32,\n}\n";

/// A program on this library.
pub(crate) fn ours(kind: Kind, methods: usize) -> String {
    let mut text = format!("{POINT}#[rpc_parallel::worker]\npub trait Service {{\n");
    for index in 0..methods {
        let Shape { parameters, output, .. } = kind.shape(index);
        let _ = writeln!(text, "    async fn method_{index}(&self, {parameters}) -> {output};");
    }
    text += "}\n\npub struct Server;\n\nimpl rpc_parallel::Init for Server {\n    type Arg = ();\n    \
             type Error = std::convert::Infallible;\n    \
             async fn init((): (), _: &rpc_parallel::WorkerContext) -> Result<Self, Self::Error> {\n        \
             Ok(Self)\n    }\n}\n\n#[rpc_parallel::worker]\nimpl Service for Server {\n";
    for index in 0..methods {
        let Shape { parameters, output, body, .. } = kind.shape(index);
        let _ =
            writeln!(text, "    async fn method_{index}(&self, {parameters}) -> {output} {{\n        {body}\n    }}");
    }
    text += "}\n\n";
    calls(&mut text, kind, methods, "ServiceClient", "");
    text += "#[rpc_parallel::main(flavor = \"current_thread\")]\nasync fn main() {\n    \
             use rpc_parallel::Spawn;\n    \
             let client: ServiceClient = Server::spawn(()).connect().await.unwrap();\n    calls(&client).await;\n}\n";
    text
}

/// A program on tarpc that does the same: it starts a copy of itself, which serves what it inherits.
pub(crate) fn theirs(kind: Kind, methods: usize) -> String {
    let mut text = format!("{POINT}#[tarpc::service]\npub trait Service {{\n");
    for index in 0..methods {
        let Shape { parameters, output, .. } = kind.shape(index);
        let _ = writeln!(text, "    async fn method_{index}({parameters}) -> {output};");
    }
    text += "}\n\n#[derive(Clone)]\npub struct Server;\n\nimpl Service for Server {\n";
    for index in 0..methods {
        let Shape { parameters, output, body, .. } = kind.shape(index);
        let context = "self, _: tarpc::context::Context";
        let _ = writeln!(
            text,
            "    async fn method_{index}({context}, {parameters}) -> {output} {{\n        {body}\n    }}"
        );
    }
    text += "}\n\n";
    calls(&mut text, kind, methods, "ServiceClient", "tarpc::context::current(), ");
    text += TARPC_MAIN;
    text
}

const TARPC_MAIN: &str = r#"
type Transport<I, O> = tarpc::serde_transport::Transport<
    tokio::net::UnixStream,
    I,
    O,
    tarpc::tokio_serde::formats::Bincode<I, O>,
>;

fn transport<I, O>(socket: std::os::unix::net::UnixStream) -> Transport<I, O>
where
    I: for<'de> serde::Deserialize<'de>,
    O: serde::Serialize,
{
    socket.set_nonblocking(true).unwrap();
    let socket = tokio::net::UnixStream::from_std(socket).unwrap();
    Transport::from((socket, tarpc::tokio_serde::formats::Bincode::default()))
}

async fn serve() {
    use futures::StreamExt;
    use tarpc::server::Channel;
    let socket = std::os::fd::AsFd::as_fd(&std::io::stdin()).try_clone_to_owned().unwrap();
    let channel = tarpc::server::BaseChannel::with_defaults(transport(socket.into()));
    channel.execute(Server.serve()).for_each(async |call| drop(tokio::spawn(call))).await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return serve().await;
    }
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let program = std::env::current_exe().unwrap();
    let theirs = std::os::fd::OwnedFd::from(theirs);
    let mut worker = std::process::Command::new(program).arg("worker").stdin(theirs).spawn().unwrap();
    let client = ServiceClient::new(tarpc::client::Config::default(), transport(ours)).spawn();
    calls(&client).await;
    drop(client);
    worker.wait().unwrap();
}
"#;

/// Functions of ten calls each, as a program of many calls has them.
fn calls(text: &mut String, kind: Kind, methods: usize, client: &str, context: &str) {
    for first in (0..methods).step_by(10) {
        let _ = writeln!(text, "async fn calls_{first}(client: &{client}) {{");
        for index in first..methods.min(first + 10) {
            let arguments = kind.shape(index).arguments;
            let _ = writeln!(text, "    let _ = client.method_{index}({context}{arguments}).await.unwrap();");
        }
        text.push_str("}\n\n");
    }
    let _ = writeln!(text, "async fn calls(client: &{client}) {{");
    for first in (0..methods).step_by(10) {
        let _ = writeln!(text, "    calls_{first}(client).await;");
    }
    text.push_str("}\n\n");
}
