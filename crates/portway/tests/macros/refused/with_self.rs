struct Hooks;

impl Hooks {
    #[portway::hook]
    async fn hook(&self) {}
}
