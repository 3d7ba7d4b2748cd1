//! Keeps the states of workspaces with many objects, over HTTP.
//!
//! Terraform writes a state file anew behind each object: for some hundred objects that takes longer than everything else in a run. A state
//! that is kept by a server is written when the run ends. What arrives stands in the workspace's folder, under the name it always has.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::routing::get;

/// Names a state file below a workspace's folder.
pub const FILE: &str = "terraform.tfstate";

/// Where the state of this folder is kept. The first caller starts the server, which lives as long as the process.
pub fn address(folder: &Path) -> String {
    static PORT: OnceLock<u16> = OnceLock::new();
    let port = PORT.get_or_init(|| {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || serve(listener));
        port
    });
    format!("http://127.0.0.1:{port}{}", folder.display())
}

#[tokio::main(flavor = "current_thread")]
async fn serve(listener: std::net::TcpListener) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let states = get(|place: Uri| async move { tokio::fs::read(file(&place)).await.map_err(|_| StatusCode::NOT_FOUND) })
        .post(|place: Uri, state: Bytes| async move { tokio::fs::write(file(&place), state).await.expect("written") });
    let router = axum::Router::new().fallback_service(states).layer(DefaultBodyLimit::disable());
    axum::serve(listener, router).await.expect("it serves");
}

fn file(place: &Uri) -> PathBuf {
    Path::new(place.path()).join(FILE)
}
