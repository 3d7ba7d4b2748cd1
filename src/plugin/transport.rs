//! Where the plugin listens, and the connections that come in.
//!
//! A unix socket that only this user can reach; TCP on the loopback address where there are no unix sockets, and then only
//! with TLS, because every local user could connect. A connection counts once its client has proved who it is: nobody else can
//! keep the process alive.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::handshake::Request;

/// How long a client may take to prove who it is.
const PROOF_LIMIT: Duration = Duration::from_secs(10);

/// The longest path that every system takes as the name of a socket (macOS: 104 bytes with the final zero).
const LONGEST_PATH: usize = 100;

/// Where a host finds the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A unix socket.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no unix sockets"))]
    Unix(PathBuf),
    /// A port on the loopback address.
    Tcp(SocketAddr),
}

impl Address {
    /// The network and the address, as the host wants them written.
    pub(super) fn parts(&self) -> (&'static str, String) {
        match self {
            Address::Unix(path) => ("unix", path.display().to_string()),
            Address::Tcp(address) => ("tcp", address.to_string()),
        }
    }
}

#[derive(Debug)]
enum Socket {
    #[cfg(unix)]
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Where the plugin listens. What was made for that on the disk is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    address: Address,
    directory: Option<TempDir>,
}

impl Place {
    /// The address that the host connects to.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.address {
            // A host may have removed its directory already.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Takes connections.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Socket,
}

impl Listener {
    /// Listens where the host asks for. Has to be called in a runtime.
    pub(super) async fn bind(request: &Request) -> io::Result<(Listener, Place)> {
        #[cfg(unix)]
        match Listener::unix(request) {
            Err(error) if request.client_certificate.is_none() => return Err(error),
            // A file system without sockets; the client certificate keeps others out of the port.
            Err(error) => tracing::warn!(%error, "no unix socket can be made, listening on a port"),
            bound => return bound,
        }
        Listener::tcp(request).await
    }

    #[cfg(unix)]
    fn unix(request: &Request) -> io::Result<(Listener, Place)> {
        use std::os::unix::fs::PermissionsExt as _;

        let group = request.socket_group.as_deref().map(unix::group).transpose()?;
        let (directory, path) = if let Some(shared) = &request.socket_directory {
            (None, shared.join(format!("plugin{}.sock", uuid::Uuid::new_v4().simple())))
        } else {
            let private = private_directory()?;
            let path = private.path().join("plugin.sock");
            (Some(private), path)
        };
        let socket = Socket::Unix(UnixListener::bind(&path)?);
        let place = Place { address: Address::Unix(path.clone()), directory };
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        if let Some(group) = group {
            std::os::unix::fs::chown(&path, None, Some(group))?;
            if let Some(directory) = &place.directory {
                std::os::unix::fs::chown(directory.path(), None, Some(group))?;
                std::fs::set_permissions(directory.path(), mode(0o710))?;
            }
        }
        std::fs::set_permissions(&path, mode(if group.is_some() { 0o660 } else { 0o600 }))?;
        Ok((Listener { socket }, place))
    }

    async fn tcp(request: &Request) -> io::Result<(Listener, Place)> {
        let mut last = io::Error::new(io::ErrorKind::AddrInUse, "no port is free in the range that the host allows");
        for port in request.ports.clone() {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(listener) => {
                    let address = Address::Tcp(listener.local_addr()?);
                    return Ok((Listener { socket: Socket::Tcp(listener) }, Place { address, directory: None }));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn accept(&self) -> io::Result<Box<dyn Wire>> {
        match &self.socket {
            #[cfg(unix)]
            Socket::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Without this, small answers wait for the other side's delayed acknowledgement: 40 ms each.
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }

    /// Takes connections, each proving itself on its own, until the stream is dropped.
    pub(super) fn connections(
        self,
        tls: Option<Arc<ServerConfig>>,
        count: Count,
    ) -> ReceiverStream<Result<Connection, io::Error>> {
        let (sender, receiver) = mpsc::channel(16);
        let acceptor = tls.map(TlsAcceptor::from);
        tokio::spawn(async move {
            loop {
                let wire = tokio::select! {
                    accepted = self.accept() => accepted,
                    () = sender.closed() => return,
                };
                let wire = match wire {
                    Ok(wire) => wire,
                    Err(error) => {
                        // Out of file handles, most likely: trying again at once would only burn time.
                        tracing::warn!(%error, "a connection could not be taken");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                };
                let (sender, acceptor, count) = (sender.clone(), acceptor.clone(), count.clone());
                tokio::spawn(async move {
                    match prove(wire, acceptor).await {
                        Ok(wire) => {
                            let connection = Connection { wire, _counted: count.one_more() };
                            // Fails only when the server is gone, and the connection with it.
                            let _ = sender.send(Ok(connection)).await;
                        }
                        Err(error) => tracing::warn!(%error, "a connection was refused"),
                    }
                });
            }
        });
        ReceiverStream::new(receiver)
    }
}

async fn prove(wire: Box<dyn Wire>, acceptor: Option<TlsAcceptor>) -> io::Result<Box<dyn Wire>> {
    let Some(acceptor) = acceptor else { return Ok(wire) };
    match tokio::time::timeout(PROOF_LIMIT, acceptor.accept(wire)).await {
        Ok(stream) => Ok(Box::new(stream?)),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client did not finish the TLS handshake")),
    }
}

/// A directory of our own (mode 0700) whose path is short enough for a socket.
fn private_directory() -> io::Result<TempDir> {
    let make = |parent: &Path| {
        let mut directory = tempfile::Builder::new();
        #[cfg(unix)]
        directory.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        directory.prefix("plugin").tempdir_in(parent)
    };
    let usual = std::env::temp_dir();
    let short = Path::new("/tmp");
    let room = usual.as_os_str().len() + "/pluginXXXXXX/plugin.sock".len();
    if room > LONGEST_PATH && short.is_dir() { make(short) } else { make(&usual) }
}

#[cfg(unix)]
mod unix {
    use std::io;

    /// The number of a group that is given by number or by name.
    pub(super) fn group(group: &str) -> io::Result<u32> {
        if let Ok(number) = group.parse() {
            return Ok(number);
        }
        number_of(group, &std::fs::read_to_string("/etc/group")?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no group {group:?}")))
    }

    /// Lines of `name:password:number:members`.
    pub(super) fn number_of(group: &str, groups: &str) -> Option<u32> {
        groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next()? == group { fields.nth(1)?.parse().ok() } else { None }
        })
    }
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection of a client that has proved who it is.
pub(super) struct Connection {
    wire: Box<dyn Wire>,
    _counted: Counted,
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}

/// How many connections stand, and whether there ever was one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) now: usize,
    pub(super) ever: bool,
}

/// Counts the connections that stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Count(watch::Sender<Open>);

impl Count {
    /// Follows the count.
    pub(super) fn watch(&self) -> watch::Receiver<Open> {
        self.0.subscribe()
    }

    /// Counts one more until the result is dropped.
    pub(super) fn one_more(&self) -> Counted {
        self.0.send_modify(|open| *open = Open { now: open.now + 1, ever: true });
        Counted(self.clone())
    }
}

/// One connection in the count.
#[derive(Debug)]
pub(super) struct Counted(Count);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|open| open.now = open.now.saturating_sub(1));
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use rustls::pki_types::CertificateDer;

    use super::*;

    fn request() -> Request {
        Request {
            socket_directory: None,
            socket_group: None,
            ports: 10_000..=25_000,
            client_certificate: None,
            asks_for_multiplexing: false,
        }
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn path(place: &Place) -> PathBuf {
        match place.address() {
            Address::Unix(path) => path.clone(),
            Address::Tcp(address) => panic!("listens on {address}"),
        }
    }

    #[tokio::test]
    async fn the_socket_is_private_and_goes_away_with_its_place() {
        let (listener, place) = Listener::bind(&request()).await.unwrap();
        let path = path(&place);
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        drop(place);
        assert!(!path.parent().unwrap().exists());
        drop(listener);
    }

    #[tokio::test]
    async fn the_host_chooses_directory_and_group() {
        let shared = tempfile::tempdir().unwrap();
        let own_group = std::os::unix::fs::MetadataExt::gid(&std::fs::metadata(shared.path()).unwrap());
        let request =
            Request { socket_directory: Some(shared.path().to_owned()), socket_group: Some(own_group.to_string()), ..request() };
        let (_listener, place) = Listener::bind(&request).await.unwrap();
        let path = path(&place);
        assert_eq!((path.parent().unwrap(), mode(&path)), (shared.path(), 0o660));
        drop(place);
        assert!(!path.exists() && shared.path().exists());
    }

    #[tokio::test]
    async fn without_sockets_a_port_is_used_but_only_with_tls() {
        let nowhere = Request { socket_directory: Some(PathBuf::from("/nonexistent/directory")), ..request() };
        assert!(Listener::bind(&nowhere).await.is_err());
        let with_tls = Request { client_certificate: Some(CertificateDer::from(vec![0])), ..nowhere };
        let (_listener, place) = Listener::bind(&with_tls).await.unwrap();
        let Address::Tcp(address) = *place.address() else { panic!("no port") };
        assert!(address.ip().is_loopback() && with_tls.ports.contains(&address.port()), "{address}");
    }

    #[test]
    fn groups_are_found_by_name() {
        let groups = "root:x:0:\nstaff:x:50:ann,ben\nbroken\n";
        assert_eq!(unix::number_of("staff", groups), Some(50));
        assert_eq!(unix::number_of("broken", groups), None);
        assert_eq!(unix::number_of("ann", groups), None);
    }
}
