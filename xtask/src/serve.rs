//! A small web server for the built page, on this machine only.

use anyhow::{Result, bail};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tiny_http::{Header, Method, Request, Response, Server};

/// The number of ports to try after the requested one.
const PORTS: u16 = 20;
/// A browser opens up to six connections, and a slow one must not block the others.
const WORKERS: usize = 6;

/// Folders, with the one-word names under which they are served; the folder without a name is the root.
pub type Folders = Vec<(&'static str, PathBuf)>;

/// Serves the site until the program is stopped.
pub fn serve(site: &Path, port: u16, isolate: bool) -> Result<()> {
    let (server, taken) = listen(port)?;
    let address = address(&server);
    if taken {
        println!("Port {port} is in use; taking {}", address.port());
    }
    println!("\nOverfit Lab is at http://{address}/ (Ctrl-C stops it)");
    let workers = answer_all(server, vec![("", site.to_owned())], isolate);
    workers.into_iter().for_each(|worker| worker.join().expect("a worker does not panic"));
    Ok(())
}

/// Serves folders on a free port as long as the program runs, if `isolate` with the headers that isolate a page; returns their
/// address.
pub fn serve_in_background(folders: Folders, isolate: bool) -> Result<String> {
    let (server, _) = listen(0)?;
    let address = format!("http://{}", address(&server));
    answer_all(server, folders, isolate);
    Ok(address)
}

fn address(server: &Server) -> SocketAddr {
    server.server_addr().to_ip().expect("the server listens on an IP address")
}

fn answer_all(server: Server, folders: Folders, isolate: bool) -> Vec<JoinHandle<()>> {
    let (server, folders) = (Arc::new(server), Arc::new(folders));
    let worker = |_| {
        let (server, folders) = (server.clone(), folders.clone());
        thread::spawn(move || {
            for request in server.incoming_requests() {
                // The browser may have closed the connection: that does not affect other requests.
                let _ = answer(request, &folders, isolate);
            }
        })
    };
    (0..WORKERS).map(worker).collect()
}

/// Listens on the requested port or the first free one after it; returns whether the requested port was taken.
fn listen(port: u16) -> Result<(Server, bool)> {
    for candidate in port..=port.saturating_add(PORTS) {
        match Server::http(("127.0.0.1", candidate)) {
            Ok(server) => return Ok((server, candidate != port)),
            Err(error) if is_taken(error.as_ref()) => {}
            Err(error) => bail!("cannot listen on port {candidate}: {error}"),
        }
    }
    bail!(
        "ports {port} to {} are all in use: name another with --port",
        port.saturating_add(PORTS)
    );
}

fn is_taken(error: &(dyn std::error::Error + 'static)) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

fn answer(request: Request, folders: &Folders, isolate: bool) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::from_string("Only GET and HEAD").with_status_code(405));
    }
    let Some(file) = locate(folders, request.url()).filter(|file| file.is_file()) else {
        return request.respond(Response::from_string("Not found").with_status_code(404));
    };
    let mut response = Response::from_file(File::open(&file)?);
    let mut add = |name: &str, value: &str| {
        response.add_header(
            Header::from_bytes(name, value).expect("header names and values here are plain ASCII"),
        );
    };
    add("Content-Type", mime(&file));
    add("Cache-Control", caching(request.url()));
    if isolate {
        add("Cross-Origin-Opener-Policy", "same-origin");
        add("Cross-Origin-Embedder-Policy", "require-corp");
    }
    request.respond(response)
}

/// The file that an address names, or nothing if it points outside the folders. The folders' names have no characters that an
/// address must escape.
fn locate(folders: &Folders, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    let named = parts.peek().and_then(|first| folders.iter().find(|(name, _)| name == first));
    let (name, folder) = named.or_else(|| folders.iter().find(|(name, _)| name.is_empty()))?;
    let mut file = folder.clone();
    for part in parts.skip(usize::from(!name.is_empty())) {
        if part.starts_with('.') || part.contains(['\\', ':', '%']) {
            return None;
        }
        file.push(part);
    }
    let file = if file.is_dir() { file.join("index.html") } else { file };
    // A link may lead out of the folder; a file that does not exist leads nowhere.
    let is_outside = match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => !file.starts_with(folder),
        _ => false,
    };
    (!is_outside).then_some(file)
}

fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map" | "webmanifest") => "application/json; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Vite puts a hash of the contents into the names of `assets/`, so those never change; browsers must revalidate everything else.
fn caching(url: &str) -> &'static str {
    if url.contains("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_file_of_the_folders_or_nothing() {
        let [site, tools] = ["/site", "/tools"].map(PathBuf::from);
        let folders = vec![("", site.clone()), ("tools", tools.clone())];
        for (url, expected) in [
            ("/index.html?preset=example-1", Some(site.join("index.html"))),
            ("//assets///main-x1.js", Some(site.join("assets/main-x1.js"))),
            ("/tools/a.js", Some(tools.join("a.js"))),
            ("/toolset/a.js", Some(site.join("toolset/a.js"))),
            ("/../secret", None),
            ("/assets/../../secret", None),
            ("/tools/../secret", None),
            ("/%2e%2e/secret", None),
            ("/.git/config", None),
            ("/C:/secret", None),
        ] {
            assert_eq!(locate(&folders, url), expected, "{url}");
        }
        assert_eq!(locate(&vec![("tools", tools)], "/elsewhere"), None, "no folder at the root");
    }

    #[test]
    fn a_folders_own_address_names_its_index() {
        let folder = std::env::temp_dir();
        assert_eq!(locate(&vec![("", folder.clone())], "/"), Some(folder.join("index.html")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out_of_its_folder() {
        let folder = std::env::temp_dir().join(format!("overfit-lab-links-{}", std::process::id()));
        let site = folder.join("site");
        std::fs::create_dir_all(&site).unwrap();
        for file in [folder.join("secret"), site.join("page")] {
            std::fs::write(file, "text").unwrap();
        }
        let link = |from: &str, name: &str| {
            std::os::unix::fs::symlink(folder.join(from), site.join(name)).unwrap();
        };
        link("secret", "out");
        link("site/page", "inside");
        let folders = vec![("", site.clone())];
        assert_eq!(locate(&folders, "/out"), None);
        assert_eq!(locate(&folders, "/inside"), Some(site.join("inside")));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn only_names_with_a_hash_are_kept() {
        assert!(caching("/assets/main-x1.js").contains("immutable"));
        assert_eq!(caching("/index.html"), "no-cache");
    }

    #[test]
    fn a_taken_port_gives_the_next_one() {
        let (first, _) = listen(18_080).unwrap();
        let port = address(&first).port();
        let (second, taken) = listen(port).unwrap();
        assert!(taken);
        assert!(address(&second).port() > port);
    }
}
