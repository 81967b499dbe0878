package rustls_ffi

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// A certificate for a name, and the PEM of the authority that vouches for it.
func certificate(t *testing.T, name string) (tls.Certificate, []byte) {
	t.Helper()
	make := func(template, parent *x509.Certificate, by *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if by == nil {
			by = key
		}
		template.SerialNumber = big.NewInt(1)
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		signed, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return signed, key
	}
	authority := &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root, by := make(authority, authority, nil)
	leaf, key := make(&x509.Certificate{DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature}, authority, by)
	return tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root})
}

// Both ends of a connection that has room for what neither reads yet.
func pipe(t *testing.T) (here, there net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if here, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return here, there
}

func ok(t *testing.T, result RustlsResult) {
	t.Helper()
	if result != RustlsResultOk {
		t.Fatal(result)
	}
}

// A client of rustls that trusts one certificate. Bytes travel through a connection of Go's.
type client struct {
	conn *RustlsConnection
	net  net.Conn
	err  error
}

func newClient(t *testing.T, over net.Conn, root []byte, name string) *client {
	t.Helper()
	roots := NewRustlsRootCertStoreBuilder()
	defer roots.Close()
	ok(t, roots.AddPem(root, true))
	var store *RustlsRootCertStore
	ok(t, roots.Build(&store))
	defer RootCertStoreFree(store)
	builder := NewRustlsWebPkiServerCertVerifierBuilder(store)
	defer builder.Close()
	var verifier *RustlsServerCertVerifier
	ok(t, builder.Build(&verifier))
	defer ServerCertVerifierFree(verifier)
	configs := NewRustlsClientConfigBuilder()
	configs.SetServerVerifier(verifier)
	var config *RustlsClientConfig
	ok(t, configs.Build(&config))
	defer ClientConfigFree(config)
	cname := CString(name)
	defer Free(unsafe.Pointer(cname))
	c := &client{net: over}
	ok(t, ClientConnectionNew(config, cname, &c.conn))
	t.Cleanup(func() { ConnectionFree(c.conn) })
	return c
}

// What rustls asks of the system: a Go function, which may wait.
func (c *client) io(do func([]byte) (int, error)) func(buf *uint8, n uint, outN *uint) RustlsIoResult {
	return func(buf *uint8, n uint, outN *uint) RustlsIoResult {
		done, err := do(unsafe.Slice(buf, n))
		*outN = uint(done)
		if err != nil && !errors.Is(err, io.EOF) {
			c.err = err
			return RustlsIoResult{F0: 5} // EIO
		}
		return RustlsIoResult{}
	}
}

// Moves bytes until rustls has nothing to send, and receives some more if asked to.
func (c *client) pump(receive bool) error {
	var n uint
	for ConnectionWantsWrite(c.conn) {
		if ConnectionWriteTLS(c.conn, c.io(c.net.Write), &n) != (RustlsIoResult{}) {
			return c.err
		}
	}
	if !receive {
		return nil
	}
	if ConnectionReadTLS(c.conn, c.io(c.net.Read), &n) != (RustlsIoResult{}) {
		return c.err
	}
	if result := ConnectionProcessNewPackets(c.conn); result != RustlsResultOk {
		c.pumpAlert()
		return errors.New(result.String())
	}
	return nil
}

// Tells the other side why it ends.
func (c *client) pumpAlert() {
	var n uint
	for ConnectionWantsWrite(c.conn) {
		if ConnectionWriteTLS(c.conn, c.io(c.net.Write), &n) != (RustlsIoResult{}) {
			return
		}
	}
}

func (c *client) handshake() error {
	for ConnectionIsHandshaking(c.conn) {
		if err := c.pump(true); err != nil {
			return err
		}
	}
	return c.pump(false)
}

// What a server of Go's, which sends everything back in capitals, has heard.
func serve(conn net.Conn, config *tls.Config) <-chan error {
	result := make(chan error, 1)
	go func() {
		defer conn.Close()
		server := tls.Server(conn, config)
		piece := make([]byte, 1<<12)
		for {
			n, err := server.Read(piece)
			if n > 0 {
				server.Write(bytes.ToUpper(piece[:n]))
			}
			if err != nil {
				result <- err
				return
			}
		}
	}()
	return result
}

func TestHandshakeWithGo(t *testing.T) {
	own, root := certificate(t, "example.test")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		here, there := pipe(t)
		heard := serve(there, &tls.Config{Certificates: []tls.Certificate{own}, MaxVersion: version})
		c := newClient(t, here, root, "example.test")
		if err := c.handshake(); err != nil {
			t.Fatal(err)
		}
		if got := ConnectionGetProtocolVersion(c.conn); got != version {
			t.Errorf("version %#x, not %#x", got, version)
		}
		text := strings.Repeat("from rust to go and back ", 100)
		var got strings.Builder
		var n uint
		ok(t, ConnectionWrite(c.conn, unsafe.StringData(text), uint(len(text)), &n))
		for got.Len() < len(text) {
			if err := c.pump(true); err != nil {
				t.Fatal(err)
			}
			room := make([]byte, 1<<14)
			if result := ConnectionRead(c.conn, &room[0], uint(len(room)), &n); result == RustlsResultOk {
				got.Write(room[:n])
			}
		}
		if got.String() != strings.ToUpper(text) {
			t.Errorf("%q", got.String())
		}
		ConnectionSendCloseNotify(c.conn)
		if err := c.pump(false); err != nil {
			t.Fatal(err)
		}
		if err := <-heard; err != io.EOF {
			t.Error(err)
		}
		here.Close()
	}
}

func TestAnotherNameIsRefused(t *testing.T) {
	own, root := certificate(t, "example.test")
	here, there := pipe(t)
	heard := serve(there, &tls.Config{Certificates: []tls.Certificate{own}})
	c := newClient(t, here, root, "other.test")
	err := c.handshake()
	if err == nil || !strings.Contains(err.Error(), "CertNotValidForName") {
		t.Error(err)
	}
	if err := <-heard; err == nil || err == io.EOF {
		t.Errorf("the server was told %v", err)
	}
}
