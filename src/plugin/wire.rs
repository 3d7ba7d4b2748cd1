//! The messages and services of the wire, as `build.rs` compiles them from `proto/`.

/// The provider protocol, major version 6.
pub mod tfplugin6 {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated from proto/tfplugin6.proto, where the comments are"
    )]
    tonic::include_proto!("tfplugin6");
}

/// What a plugin's host asks of the process.
pub mod host {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated from proto/plugin.proto")]
    tonic::include_proto!("plugin");
}

/// The standard health service.
pub mod health {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated from proto/health.proto")]
    tonic::include_proto!("grpc.health.v1");
}
