#[portway::hook]
async fn number() -> u32 {
    7
}

struct Mine;

#[portway::service]
mod shop {
    #[portway::get("/a", handler)]
    async fn answer() -> super::Mine {
        super::Mine
    }
}
