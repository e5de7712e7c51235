import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** The handshakes of ../handshake.py with Java's standard SSLSocket. */
public final class Handshake {
    private static final char[] NO_PASSWORD = new char[0];
    private static final int DEADLINE_MS = 10_000;

    public static void main(String[] arguments) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] fields = line.split("\t");
            System.out.println(fields[0] + " " + handshake(fields));
        }
    }

    /** Serves and dials once: `accepted NAME` or `refused CAUSE`. */
    private static String handshake(String[] fields) {
        try {
            SSLContext serving = context(fields[1], fields[2], fields[3]);
            SSLContext dialling = context(fields[6], fields[7], fields[4]);
            var loopback = InetAddress.getByName("127.0.0.1");
            try (var listener = (SSLServerSocket)
                    serving.getServerSocketFactory().createServerSocket(0, 1, loopback)) {
                listener.setNeedClientAuth(!fields[3].equals("-"));
                listener.setSoTimeout(DEADLINE_MS);
                var served = CompletableFuture.supplyAsync(() -> serveOnce(listener));
                String answer = dial(dialling, fields[5], listener.getLocalPort());
                String server = served.join();
                boolean accepted = server.isEmpty() && answer.startsWith("answer ");
                return accepted
                        ? "accepted " + answer.substring("answer ".length())
                        : "refused client: " + answer + "; server: " + server;
            }
        } catch (GeneralSecurityException | IOException failure) {
            return "refused " + words(failure);
        }
    }

    /** Answers one client with the common name of its certificate; returns what went wrong. */
    private static String serveOnce(SSLServerSocket listener) {
        try (var socket = (SSLSocket) listener.accept()) {
            socket.setSoTimeout(DEADLINE_MS);
            socket.startHandshake();
            String name = "-";
            try {
                name = socket.getSession().getPeerPrincipal().getName();
                name = name.replaceAll("^.*CN=([^,]*).*$", "$1");
            } catch (SSLPeerUnverifiedException anonymous) {
                // TLS without a client certificate
            }
            socket.getOutputStream().write((name + "\n").getBytes());
            return "";
        } catch (IOException failure) {
            return words(failure);
        }
    }

    /** Checks the server as HTTPS does and reads its answer. */
    private static String dial(SSLContext context, String name, int port) {
        try (var plain = new Socket("127.0.0.1", port);
                var socket = (SSLSocket) context.getSocketFactory()
                        .createSocket(plain, name, port, true)) {
            socket.setSoTimeout(DEADLINE_MS);
            var parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            var answer = new BufferedReader(new InputStreamReader(socket.getInputStream()));
            String line = answer.readLine();
            return line == null ? "no answer" : "answer " + line;
        } catch (IOException failure) {
            return words(failure);
        }
    }

    /** A context from PEM files; `-` leaves its place empty. */
    private static SSLContext context(String certificate, String key, String ca)
            throws GeneralSecurityException, IOException {
        KeyManagerFactory keys = null;
        if (!certificate.equals("-")) {
            KeyStore store = emptyStore();
            Certificate[] chain = certificates(certificate);
            store.setKeyEntry("own", privateKey(key), NO_PASSWORD, chain);
            keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(store, NO_PASSWORD);
        }
        KeyStore anchors = emptyStore();
        if (!ca.equals("-")) {
            for (Certificate anchor : certificates(ca)) {
                anchors.setCertificateEntry(((X509Certificate) anchor).getSerialNumber().toString(), anchor);
            }
        }
        var trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(anchors);
        var context = SSLContext.getInstance("TLS");
        context.init(
                keys == null ? null : keys.getKeyManagers(),
                ca.equals("-") ? null : trust.getTrustManagers(),
                null);
        return context;
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, NO_PASSWORD);
        return store;
    }

    private static Certificate[] certificates(String file)
            throws GeneralSecurityException, IOException {
        var stream = new ByteArrayInputStream(Files.readAllBytes(Path.of(file)));
        return CertificateFactory.getInstance("X.509")
                .generateCertificates(stream)
                .toArray(Certificate[]::new);
    }

    /** PKCS#8 says which algorithm the key is for, but Java wants to be told. */
    private static PrivateKey privateKey(String file)
            throws GeneralSecurityException, IOException {
        String base64 = Files.readString(Path.of(file)).replaceAll("-----[^-]*-----|\\s", "");
        var encoded = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64));
        for (String algorithm : new String[] {"EC", "RSA", "Ed25519"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
            } catch (InvalidKeySpecException other) {
                // the next one
            }
        }
        throw new InvalidKeySpecException("no algorithm reads " + file);
    }

    /** A failure and its causes, on one line. */
    private static String words(Throwable failure) {
        var words = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            words.append(words.isEmpty() ? "" : ": ").append(cause.getMessage());
        }
        return words.toString().replaceAll("\\s+", " ");
    }
}
