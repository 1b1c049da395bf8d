//! What moves: traffic, and the one vocabulary of faults (for a time under `faults`, always under `receives`).

use crate::scenario::source::{Field, Named, Text};

words! {
    /// How short a resource of an Exchange server is.
    pub enum PressureLevel("a level of back pressure") { Medium, High }
    /// Which one.
    pub enum PressureResource("a resource under back pressure") { SubmissionQueue, UsedVersionBuckets, UsedDiskSpace, DatabaseUsedSpace, PrivateBytes, SystemMemory }
    /// A step of an SMTP session.
    pub enum Phase("a phase of a session") { Banner, Ehlo, Helo, Starttls, Auth, Mail, Rcpt, Data, Content, FinalDot }
    /// How a machine or a line is gone.
    pub enum DownHow("a way to be down") { Silent, Refused, Unreachable }
    /// What becomes of sessions under way.
    pub enum SessionsAtCut("a value of `sessions`") { Cut, Finish }
    /// What becomes of a queue.
    pub enum QueueAtCut("a value of `queue`") { Kept, Lost }
    /// What follows a reply.
    pub enum AfterReply("a value of `then`") { Close }
    /// How a session ends early.
    pub enum DropHow("a way to end a session") { Close, Reset, Silence }
    /// What goes wrong with STARTTLS.
    pub enum StarttlsHow("a failure of STARTTLS") { Missing, Refused, HandshakeFails, Closes, Hangs }
    /// What a DNS question gets instead of an answer.
    pub enum DnsAnswer("a DNS failure") { ServFail, NxDomain, NoData, Refused, Timeout, Bogus, Truncated }
    /// What goes wrong with a policy host.
    pub enum MtaStsHow("a failure of MTA-STS") { PolicyGone, HttpsDown, BadCertificate, Malformed }
    /// What a greylist answers.
    pub enum GreylistPhase("a step that a greylist answers") { Rcpt, Data, FinalDot }
    /// By what a greylist knows a client (postgrey).
    pub enum GreylistLookup("a value of `lookup`") { Host, Subnet }
    /// When a sender wants to be told (RFC 3461).
    pub enum Notify("a value of `notify`") { Never, Success, Failure, Delay }
    /// How much of a message a report returns (RFC 3461).
    pub enum Ret("a value of `ret`") { Full, Headers }
    /// What kind of message it says it is (`MessageTypeMatches` of New-TransportRule).
    pub enum MessageType("a message type") {
        OOF, AutoForward, Encrypted, Calendaring, PermissionControlled, Voicemail, Signed, ApprovalRequest, ReadReceipt,
    }
    /// What a message body is made of (RFC 6152, RFC 3030).
    pub enum Body("a value of `body`") { SevenBit, EightBit, Binary }
}

kinds! {
    /// A source of messages.
    pub enum Traffic("a kind of traffic") {
        fields { Message(Message), Burst(Burst), Every(Every), Poisson(Poisson), File(TrafficFile) }
    }

    /// Something that goes wrong.
    pub enum Fault("a kind of fault") {
        fields {
            Down(Down), Partition(Partition), Flapping(Flapping), Capacity(Capacity), Tarpit(Tarpit), Latency(Latency), Reply(ReplyFault),
            Drop(DropFault), Starttls(StarttlsFault), Certificate(CertificateFault), Greylist(Greylist), Postscreen(Postscreen), RateLimit(RateLimit), Dns(DnsFault),
            MtaSts(MtaStsFault), BackPressure(BackPressure),
        }
    }
}

schema! {
    /// What all kinds of traffic say about a message.
    pub struct Envelope("a message") either (from, from_one_of), (to, to_one_of) {
        by: Field<Text>,
        from: Field<Text>,
        from_one_of: Named<u64>,
        to: Field<Vec<Text>>,
        to_one_of: Named<u64>,
        size: Field<Text>,
        headers: Named<Text>,
        header_from: Field<Text>,
        subject: Field<Text>,
        /// What stands in its body, as far as rules read it.
        text: Field<Text>,
        message_type: Field<MessageType>,
        scl: Field<i64>,
        dkim: Field<Text>,
        login: Field<Text>,
        oauth: Field<bool>,
        notify: Field<Vec<Notify>>,
        ret: Field<Ret>,
        /// ENVID in xtext.
        envid: Field<Text>,
        /// { recipient: ORCPT }
        orcpt: Named<Text>,
        body: Field<Body>,
        smtp_utf8: Field<bool>,
        requiretls: Field<bool>,
    }

    /// One message, or a few at a distance.
    pub struct Message("`Message`") inlines envelope: Envelope {
        at: Field<Text>,
        count: Field<u64>,
        gap: Field<Text>,
    }

    /// Many at once.
    pub struct Burst("`Burst`") inlines envelope: Envelope {
        at: Field<Text>,
        count: Field<u64>,
        over: Field<Text>,
    }

    /// One after each interval.
    pub struct Every("`Every`") inlines envelope: Envelope {
        interval: Field<Text>,
        at: Field<Text>,
        until: Field<Text>,
    }

    /// At random, with a mean rate.
    pub struct Poisson("`Poisson`") inlines envelope: Envelope {
        rate: Field<Text>,
        at: Field<Text>,
        until: Field<Text>,
    }

    /// As a CSV file says.
    pub struct TrafficFile("`File`") inlines envelope: Envelope {
        path: Field<Text>,
        at: Field<Text>,
    }

    /// When a fault holds.
    pub struct Window("a fault") either (until, lasts) {
        at: Field<Text>,
        until: Field<Text>,
        lasts: Field<Text>,
    }

    /// When a fault of sessions holds, and for how many of them.
    pub struct SessionWindow("a fault") inlines when: Window {
        times: Field<u64>,
        probability: Field<Text>,
    }

    /// Neither receives nor sends.
    pub struct Down("`Down`") inlines when: Window {
        target: Field<Text>,
        how: Field<DownHow>,
        sessions: Field<SessionsAtCut>,
        queue: Field<QueueAtCut>,
    }

    /// No connection between two that both live.
    pub struct Partition("`Partition`") inlines when: Window {
        between: Field<(Text, Text)>,
        one_way: Field<bool>,
        how: Field<DownHow>,
    }

    /// Up and down at random.
    pub struct Flapping("`Flapping`") inlines when: Window {
        target: Field<Text>,
        up: Field<Text>,
        down: Field<Text>,
        how: Field<DownHow>,
        sessions: Field<SessionsAtCut>,
    }

    /// Fewer slots, slower service.
    pub struct Capacity("`Capacity`") inlines when: Window {
        target: Field<Text>,
        sessions: Field<u64>,
        service_time: Field<Text>,
    }

    /// Slow replies.
    pub struct Tarpit("`Tarpit`") inlines when: SessionWindow {
        target: Field<Text>,
        phase: Field<Phase>,
        delay: Field<Text>,
    }

    /// A slow line.
    pub struct Latency("`Latency`") inlines when: Window {
        between: Field<(Text, Text)>,
        add: Field<Text>,
    }

    /// Another answer.
    pub struct ReplyFault("`Reply`") inlines when: SessionWindow {
        target: Field<Text>,
        phase: Field<Phase>,
        code: Field<Text>,
        sender: Field<Text>,
        recipient: Field<Text>,
        then: Field<AfterReply>,
        after_recipients: Field<u64>,
    }

    /// The session ends there.
    pub struct DropFault("`Drop`") inlines when: SessionWindow first forget_another_step {
        target: Field<Text>,
        phase: Field<Phase>,
        how: Field<DropHow>,
        after: Field<Text>,
        accepted: Field<bool>,
    }

    /// No or broken encryption.
    pub struct StarttlsFault("`Starttls`") inlines when: SessionWindow first forget_the_refusal {
        target: Field<Text>,
        how: Field<StarttlsHow>,
        code: Field<Text>,
    }

    /// Another certificate is shown.
    pub struct CertificateFault("`Certificate`") inlines when: SessionWindow {
        target: Field<Text>,
        becomes: Field<Text>,
    }

    /// Come back later.
    pub struct Greylist("`Greylist`") inlines when: Window {
        target: Field<Text>,
        delay: Field<Text>,
        window: Field<Text>,
        remembered: Field<Text>,
        shared_with: Field<Vec<Text>>,
        lookup: Field<GreylistLookup>,
        phase: Field<GreylistPhase>,
        code: Field<Text>,
    }

    /// Who is not known waits, and may have to come back.
    pub struct Postscreen("`Postscreen`") inlines when: Window first forget_the_deep_tests {
        target: Field<Text>,
        greet_wait: Field<Text>,
        greet_ttl: Field<Text>,
        deep_protocol_tests: Field<bool>,
        deep_ttl: Field<Text>,
    }

    /// Not so many at a time.
    pub struct RateLimit("`RateLimit`") inlines when: Window {
        target: Field<Text>,
        messages: Field<u64>,
        per: Field<Text>,
        code: Field<Text>,
    }

    /// A question to DNS goes wrong.
    pub struct DnsFault("`Dns`") inlines when: Window {
        name: Field<Text>,
        r#type: Field<Text>,
        answer: Field<DnsAnswer>,
        view: Field<Text>,
    }

    /// An Exchange server runs out of something.
    pub struct BackPressure("`BackPressure`") inlines when: Window {
        target: Field<Text>,
        level: Field<PressureLevel>,
        resource: Field<PressureResource>,
    }

    /// A policy host is in trouble.
    pub struct MtaStsFault("`MtaSts`") inlines when: Window {
        domain: Field<Text>,
        how: Field<MtaStsHow>,
    }
}

/// `after` belongs to the content, `accepted` to the final dot.
fn forget_another_step(old: &mut DropFault, over: &DropFault) {
    let Some(phase) = over.phase.get() else { return };
    if *phase != Phase::Content {
        old.after = Field::default();
    }
    if *phase != Phase::FinalDot {
        old.accepted = Field::default();
    }
}

/// Only a refusal has a code.
fn forget_the_refusal(old: &mut StarttlsFault, over: &StarttlsFault) {
    if over.how.get().is_some_and(|how| *how != StarttlsHow::Refused) {
        old.code = Field::default();
    }
}

/// How long they are remembered says nothing where there are none.
fn forget_the_deep_tests(old: &mut Postscreen, over: &Postscreen) {
    if over.deep_protocol_tests.get() == Some(&false) {
        old.deep_ttl = Field::default();
    }
}
