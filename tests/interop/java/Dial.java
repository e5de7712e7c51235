import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** Java's standard SSLSocket dials each server of ../opinions.py and reads its first octet. */
public final class Dial {
    private static final int DEADLINE_MS = 10_000;

    public static void main(String[] arguments) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] fields = line.split("\t");
            System.out.println(fields[0] + " " + dial(fields[1], Integer.parseInt(fields[2])));
        }
    }

    /** Checks the server as HTTPS does. */
    private static String dial(String ca, int port) {
        try (var plain = new Socket("127.0.0.1", port);
                var socket = (SSLSocket) context(ca).getSocketFactory()
                        .createSocket(plain, "localhost", port, true)) {
            socket.setSoTimeout(DEADLINE_MS);
            var parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            parameters.setApplicationProtocols(new String[] {"h2"});
            socket.setSSLParameters(parameters);
            return socket.getInputStream().read() < 0 ? "refused no answer" : "accepted";
        } catch (GeneralSecurityException | IOException failure) {
            return "refused " + String.valueOf(failure.getMessage()).replaceAll("\\s+", " ");
        }
    }

    private static SSLContext context(String ca) throws GeneralSecurityException, IOException {
        var anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, new char[0]);
        try (var file = new FileInputStream(ca)) {
            anchors.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        var trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(anchors);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
