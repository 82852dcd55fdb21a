//! The gRPC service, described in Rust: so nobody needs `protoc`.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let method = |name, route, input: &str, output: &str, codec: &str| {
        let message = |name: &str| format!("crate::peers::tonic::{name}");
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(message(input))
            .output_type(message(output))
            .codec_path(message(codec))
    };
    let service = Service::builder()
        .name("Bench")
        .package("bench")
        .method(method("next", "Next", "Number", "Number", "Calls").build())
        .method(method("echo", "Echo", "Data", "Data", "Bulk").build())
        .method(method("numbers", "Numbers", "Number", "Number", "Bulk").server_streaming().build())
        .method(method("blocks", "Blocks", "Number", "Block", "Bulk").server_streaming().build())
        .build();
    Builder::new().compile(&[service]);
}
