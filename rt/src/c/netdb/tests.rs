use super::*;
use libc::{sockaddr_in, sockaddr_in6};

/// The results of getaddrinfo as text: address, port and kind of socket.
fn look_up(
    node: Option<&str>,
    service: Option<&str>,
    change: impl FnOnce(&mut addrinfo),
) -> Result<Vec<String>, c_int> {
    let text = |text: Option<&str>| text.map(|text| std::ffi::CString::new(text).expect("no NUL"));
    let (node, service) = (text(node), text(service));
    let pointer = |text: &Option<std::ffi::CString>| {
        text.as_ref()
            .map_or(core::ptr::null(), |text| text.as_ptr())
    };
    let mut list = null_mut();
    let mut results = Vec::new();
    // SAFETY: all bits zero are hints; C strings; the list is freed once.
    unsafe {
        let mut hints: addrinfo = core::mem::zeroed();
        change(&mut hints);
        match getaddrinfo(pointer(&node), pointer(&service), &hints, &mut list) {
            0 => {}
            error => return Err(error),
        }
        let mut entry = list;
        while let Some(info) = entry.as_ref() {
            let address = match info.ai_family {
                libc::AF_INET => {
                    assert_eq!(info.ai_addrlen as usize, size_of::<sockaddr_in>());
                    let raw = &*info.ai_addr.cast::<sockaddr_in>();
                    SocketAddr::from((
                        raw.sin_addr.s_addr.to_ne_bytes(),
                        u16::from_be(raw.sin_port),
                    ))
                }
                _ => {
                    assert_eq!(info.ai_addrlen as usize, size_of::<sockaddr_in6>());
                    let raw = &*info.ai_addr.cast::<sockaddr_in6>();
                    SocketAddr::from((raw.sin6_addr.s6_addr, u16::from_be(raw.sin6_port)))
                }
            };
            results.push(format!("{address}/{}", info.ai_socktype));
            entry = info.ai_next;
        }
        freeaddrinfo(list);
    }
    Ok(results)
}

#[test]
fn numbers_need_no_files() {
    let stream = |hints: &mut addrinfo| hints.ai_socktype = libc::SOCK_STREAM;
    assert_eq!(
        look_up(Some("10.1.2.3"), Some("80"), stream),
        Ok(vec!["10.1.2.3:80/1".into()])
    );
    assert_eq!(
        look_up(Some("::1"), None, stream),
        Ok(vec!["[::1]:0/1".into()])
    );
    let all = ["10.1.2.3:7/1", "10.1.2.3:7/2", "10.1.2.3:7/3"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(look_up(Some("10.1.2.3"), Some("7"), |_| {}), Ok(all));
    assert_eq!(
        look_up(Some("10.1.2.3"), None, |hints| hints.ai_family =
            libc::AF_INET6),
        Err(EAI_ADDRFAMILY)
    );
    let mapped = |hints: &mut addrinfo| {
        hints.ai_family = libc::AF_INET6;
        hints.ai_socktype = libc::SOCK_STREAM;
        hints.ai_flags = libc::AI_V4MAPPED;
    };
    assert_eq!(
        look_up(Some("10.1.2.3"), None, mapped),
        Ok(vec!["[::ffff:10.1.2.3]:0/1".into()])
    );
}

#[test]
fn no_node_is_this_machine() {
    let passive = |hints: &mut addrinfo| {
        hints.ai_socktype = libc::SOCK_STREAM;
        hints.ai_flags = libc::AI_PASSIVE;
    };
    assert_eq!(
        look_up(None, Some("80"), passive),
        Ok(vec!["[::]:80/1".into(), "0.0.0.0:80/1".into()])
    );
    let v4 = |hints: &mut addrinfo| {
        hints.ai_socktype = libc::SOCK_DGRAM;
        hints.ai_family = libc::AF_INET;
    };
    assert_eq!(
        look_up(None, Some("80"), v4),
        Ok(vec!["127.0.0.1:80/2".into()])
    );
    assert_eq!(look_up(None, None, |_| {}), Err(libc::EAI_NONAME));
}

#[test]
fn localhost_is_always_there() {
    let v4 = |hints: &mut addrinfo| {
        hints.ai_socktype = libc::SOCK_STREAM;
        hints.ai_family = libc::AF_INET;
    };
    assert_eq!(
        look_up(Some("localhost"), None, v4),
        Ok(vec!["127.0.0.1:0/1".into()])
    );
    assert_eq!(
        look_up(Some("any.LOCALHOST."), None, v4),
        Ok(vec!["127.0.0.1:0/1".into()])
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let numeric = |hints: &mut addrinfo| hints.ai_flags = libc::AI_NUMERICHOST;
    assert_eq!(
        look_up(Some("localhost"), None, numeric),
        Err(libc::EAI_NONAME)
    );
    assert_eq!(look_up(Some(""), None, |_| {}), Err(libc::EAI_NONAME));
    assert_eq!(
        look_up(Some("two words"), None, |_| {}),
        Err(libc::EAI_NONAME)
    );
    assert_eq!(
        look_up(Some("::1"), Some("70000"), |_| {}),
        Err(libc::EAI_SERVICE)
    );
    assert_eq!(
        look_up(Some("::1"), None, |hints| hints.ai_family = 77),
        Err(libc::EAI_FAMILY)
    );
    assert_eq!(
        look_up(Some("::1"), None, |hints| hints.ai_socktype = 77),
        Err(libc::EAI_SOCKTYPE)
    );
    assert_eq!(
        look_up(Some("::1"), None, |hints| hints.ai_flags = 1 << 30),
        Err(libc::EAI_BADFLAGS)
    );
    let named = |hints: &mut addrinfo| hints.ai_flags = libc::AI_NUMERICSERV;
    assert_eq!(
        look_up(Some("::1"), Some("http"), named),
        Err(libc::EAI_NONAME)
    );
}
