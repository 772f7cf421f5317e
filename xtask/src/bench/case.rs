//! What is asked of the programs.

use clap::ValueEnum;

/// One kind of load, or the look at an idle Portway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// GET, an answer of 1 KB
    #[value(name = "get-1k")]
    Get1k,
    /// GET, an answer of 64 KB
    #[value(name = "get-64k")]
    Get64k,
    /// GET, an answer of 10 MB
    #[value(name = "get-10m")]
    Get10m,
    /// GET, an answer of 1 KB, at a pace that leaves time to rest
    #[value(name = "half-load")]
    HalfLoad,
    /// POST of 1 KB, a short answer
    #[value(name = "post-1k")]
    Post1k,
    /// GET over 10 000 routes, an answer of 1 KB
    #[value(name = "routes-10k")]
    Routes10k,
    /// Memory and start time without traffic
    #[value(name = "idle")]
    Idle,
    /// Instructions per request by callgrind; only when asked for
    #[value(name = "instructions")]
    Instructions,
}

impl Case {
    /// What is measured when nothing is selected, in the order of the tables.
    pub(crate) const ALL: [Self; 7] = [
        Self::Get1k,
        Self::HalfLoad,
        Self::Get64k,
        Self::Get10m,
        Self::Post1k,
        Self::Routes10k,
        Self::Idle,
    ];

    /// The name on the command line and in the results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get1k => "get-1k",
            Self::HalfLoad => "half-load",
            Self::Get64k => "get-64k",
            Self::Get10m => "get-10m",
            Self::Post1k => "post-1k",
            Self::Routes10k => "routes-10k",
            Self::Idle => "idle",
            Self::Instructions => "instructions",
        }
    }

    /// The heading of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Get1k => "GET, 1 KB answer",
            Self::HalfLoad => "GET, 1 KB answer, at about half load",
            Self::Get64k => "GET, 64 KB answer",
            Self::Get10m => "GET, 10 MB answer",
            Self::Post1k => "POST of 1 KB",
            Self::Routes10k => "GET, 1 KB answer, 1 000 paths spread over 10 000 routes",
            Self::Idle => "Idle",
            Self::Instructions => "Instructions",
        }
    }

    /// The path to ask for; the scripts that choose paths themselves ignore it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Get1k | Self::HalfLoad | Self::Routes10k | Self::Idle | Self::Instructions => {
                "/bench/group-0/items/1k"
            }
            Self::Get64k => "/bench/files/items/64k",
            Self::Get10m => "/bench/files/items/10m",
            Self::Post1k => "/bench/post/items/1",
        }
    }

    /// Bytes in the body of the answer.
    pub(crate) fn body(self) -> u64 {
        match self {
            Self::Get1k | Self::HalfLoad | Self::Routes10k | Self::Idle | Self::Instructions => {
                1024
            }
            Self::Get64k => 64 * 1024,
            Self::Get10m => 10 * 1024 * 1024,
            Self::Post1k => 3,
        }
    }

    /// The script under `bench/wrk`.
    pub(crate) fn script(self) -> &'static str {
        match self {
            Self::Get1k | Self::Get64k | Self::Get10m | Self::Idle | Self::Instructions => {
                "get.lua"
            }
            Self::HalfLoad => "half.lua",
            Self::Post1k => "post.lua",
            Self::Routes10k => "routes.lua",
        }
    }
}
