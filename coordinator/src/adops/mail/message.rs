//! A queued mail as the message that is sent (RFC 5322). Everything that a person wrote goes through the builder's
//! encoding, and a line break in a header becomes a space, so nobody can add headers of their own.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as Part, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::Letter;
use crate::adops::ids::TenantId;

/// Why a mail cannot be made. The texts hold no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageFault {
    /// To whom?
    #[error("its address cannot be read")]
    Address,
    /// The attachment's type.
    #[error("the type of its attachment cannot be read")]
    ContentType,
    /// The library's refusal.
    #[error("it cannot be put together")]
    Form,
}

/// Puts a message together. Its `Message-ID` is the same at each attempt, so receivers can tell repetitions.
pub(super) fn build(from: &Mailbox, tenant: TenantId, key: u64, letter: &Letter) -> Result<Message, MessageFault> {
    let to: Address = letter.to.parse().map_err(|_unnamed| MessageFault::Address)?;
    let queued = SystemTime::UNIX_EPOCH + Duration::from_nanos(key);
    let id = format!("<{tenant}.{key}@{}>", from.email.domain());
    let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    let builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(one_line(&letter.subject))
        .date(queued)
        .message_id(Some(id))
        .raw_header(automatic);
    let text = SinglePart::plain(letter.text.clone());
    let built = match &letter.attachment {
        None => builder.singlepart(text),
        Some(file) => {
            let kind = ContentType::parse(&file.content_type).map_err(|_unnamed| MessageFault::ContentType)?;
            let part = Part::new(one_line(&file.name)).body(file.bytes.clone(), kind);
            builder.multipart(MultiPart::mixed().singlepart(text).singlepart(part))
        }
    };
    built.map_err(|_unnamed| MessageFault::Form)
}

fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use proptest::prelude::*;

    use super::super::Attachment;
    use super::*;

    fn letter(to: &str, subject: &str, text: &str) -> Letter {
        Letter { to: to.to_owned(), subject: subject.to_owned(), text: text.to_owned(), attachment: None }
    }

    fn made(letter: &Letter) -> Result<String, MessageFault> {
        let message = build(&"Lab <lab@example.com>".parse().unwrap(), TenantId(3), 7, letter)?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    fn headers(message: &str) -> Vec<&str> {
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        let own = |line: &&str| !line.starts_with([' ', '\t']);
        head.split("\r\n").filter(own).map(|line| line.split_once(':').unwrap().0).collect()
    }

    #[test]
    fn nobody_adds_headers() {
        let usual = made(&letter("jane@example.com", "Hello", "Text")).unwrap();
        let usual = headers(&usual);
        assert!(usual.contains(&"Auto-Submitted") && usual.contains(&"Message-ID"), "{usual:?}");
        for break_ in ["\r\n", "\n", "\r", "\r\n\r\n", "\0", "\u{85}", "\u{2028}"] {
            let subject = format!("Hello{break_}Bcc: evil@example.com");
            let message = made(&letter("jane@example.com", &subject, "Text\r\n.\r\nBcc: x@example.com")).unwrap();
            assert_eq!(headers(&message), usual, "{message}");
            let to = format!("jane@example.com{break_}Bcc: evil@example.com");
            assert_eq!(made(&letter(&to, "Hello", "Text")), Err(MessageFault::Address));
        }
        assert_eq!(made(&letter("a@x.example, b@x.example", "Hello", "Text")), Err(MessageFault::Address));
    }

    #[test]
    fn a_file_goes_with_it() {
        let file =
            Attachment { name: "a\r\nb.csv".into(), content_type: "text/csv".into(), bytes: b"x,y\n1,2\n".into() };
        let letter = Letter { attachment: Some(file), ..letter("jane@example.com", "Größe", "Text") };
        let message = made(&letter).unwrap();
        assert!(message.contains("Content-Disposition: attachment; filename=\"a  b.csv\""), "{message}");
        assert!(message.contains("Message-ID: <3.7@example.com>") && !message.contains("Größe"), "{message}");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_header(subject in any::<String>(), text in any::<String>()) {
            let message = made(&letter("jane@example.com", &subject, &text)).unwrap();
            let known = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
                "Content-Type", "Content-Transfer-Encoding"];
            for header in headers(&message) {
                prop_assert!(known.contains(&header), "{header}");
            }
        }
    }
}
