//! The scene: the example file, the addresses in it, and what to ask.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
};

use anyhow::{Context, bail};

/// The example, below the root of the workspace.
pub(super) const FILE: &str = "examples/demo/portway.yaml";

/// The addresses of one performance.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) web: SocketAddr,
    pub(super) probes: SocketAddr,
    pub(super) accounts: SocketAddr,
    pub(super) orders: SocketAddr,
}

/// Something to ask, and what comes back.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) body: &'static str,
    pub(super) status: u16,
    /// The answer's head or body says this.
    pub(super) says: &'static str,
}

/// What the demo invites to try: a forwarded GET, a forwarded POST, a redirect.
pub(super) const TRIES: [Attempt; 3] = [
    Attempt { method: "GET", path: "/account/42", body: "", status: 200, says: "accounts" },
    Attempt {
        method: "POST",
        path: "/orders",
        body: r#"{"item":"tea"}"#,
        status: 200,
        says: "orders",
    },
    Attempt { method: "GET", path: "/customer/42", body: "", status: 308, says: "/account/42" },
];

impl Scene {
    /// The addresses that stand in the example.
    pub(super) fn as_written() -> Self {
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        Self { web: local(8080), probes: local(9000), accounts: local(8001), orders: local(8002) }
    }

    /// Says which port of the scene another program holds, if any.
    pub(super) fn ports_are_free(&self) -> anyhow::Result<()> {
        for (what, address) in self.addresses() {
            match TcpListener::bind(address) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
                    "port {0} is taken and the demo needs it for {what}; \
                     `ss -ltnp 'sport = :{0}'` shows who has it",
                    address.port()
                ),
                Err(error) => {
                    return Err(error).with_context(|| format!("no {what} on {address}"));
                }
            }
        }
        Ok(())
    }

    /// The example's text with the addresses of this scene in it.
    pub(super) fn played_in(&self, example: &str) -> anyhow::Result<String> {
        let mut text = example.to_owned();
        for ((what, written), (_, ours)) in
            Self::as_written().addresses().iter().zip(self.addresses())
        {
            if !text.contains(&written.to_string()) {
                bail!("{FILE} names no address {written} for {what}");
            }
            text = text.replace(&written.to_string(), &ours.to_string());
        }
        Ok(text)
    }

    fn addresses(&self) -> [(&'static str, SocketAddr); 4] {
        [
            ("the gateway", self.web),
            ("its probes", self.probes),
            ("the upstream accounts", self.accounts),
            ("the upstream orders", self.orders),
        ]
    }
}

impl Attempt {
    /// The line to copy.
    pub(super) fn curl(&self, scene: &Scene) -> String {
        let url = format!("http://{}{}", scene.web, self.path);
        match self.body {
            "" => format!("curl -i {url}"),
            body => format!("curl -i -X {} -d '{body}' {url}", self.method),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn example() -> String {
        std::fs::read_to_string(workspace::root().join(FILE)).unwrap()
    }

    #[test]
    fn the_example_has_the_addresses_of_the_scene() {
        let scene = Scene::as_written();
        assert_eq!(scene.played_in(&example()).unwrap(), example());
    }

    #[test]
    fn other_addresses_take_their_place() {
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let scene = Scene { web: local(1), probes: local(2), accounts: local(3), orders: local(4) };
        let text = scene.played_in(&example()).unwrap();
        assert!(text.contains("bind: \"127.0.0.1:1\""), "{text}");
        assert!(!text.contains(":8080") && !text.contains(":8001"), "{text}");
    }

    #[test]
    fn an_example_without_an_address_is_refused() {
        let error = Scene::as_written().played_in("services: []").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{FILE} names no address 127.0.0.1:8080 for the gateway")
        );
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let scene =
            Scene { web: taken.local_addr().unwrap(), probes: free, accounts: free, orders: free };
        let text = scene.ports_are_free().unwrap_err().to_string();
        let port = scene.web.port();
        assert!(
            text.starts_with(&format!(
                "port {port} is taken and the demo needs it for the gateway"
            )),
            "{text}"
        );
        Scene { web: free, ..scene }.ports_are_free().unwrap();
    }

    #[test]
    fn lines_can_be_copied_into_a_shell() {
        let lines = TRIES.map(|attempt| attempt.curl(&Scene::as_written()));
        assert_eq!(
            lines,
            [
                "curl -i http://127.0.0.1:8080/account/42",
                r#"curl -i -X POST -d '{"item":"tea"}' http://127.0.0.1:8080/orders"#,
                "curl -i http://127.0.0.1:8080/customer/42",
            ]
        );
    }
}
