import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AttributeKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * Lets one user in, by SCRAM-SHA-256 (RFC 7677) or by a client certificate with the user's common name, as MongoDB does. The password is
 * read for each login, so that it can be changed.
 */
class Logins {
  private static final int ITERATIONS = 4_096;
  private static final AttributeKey<Boolean> LET_IN = AttributeKey.valueOf("letIn");
  private static final AttributeKey<Conversation> CONVERSATION = AttributeKey.valueOf("conversation");
  private static final List<String> OPEN = List.of("hello", "ismaster", "ping", "buildinfo");

  private record Conversation(String user, String clientFirst, String serverFirst, String nonce, byte[] salt) {}

  private final String user;
  private final Path passwordFile;
  private final SecureRandom random = new SecureRandom();

  Logins(String user, Path passwordFile) {
    this.user = user;
    this.passwordFile = passwordFile;
  }

  /** Null: the command may be done. */
  Document answer(Channel channel, String name, Document command) {
    try {
      switch (name.toLowerCase(java.util.Locale.ROOT)) {
        case "saslstart":
          return begin(channel, command);
        case "saslcontinue":
          return proceed(channel, command);
        case "authenticate":
          return byCertificate(channel);
        default:
          if (OPEN.contains(name.toLowerCase(java.util.Locale.ROOT)) || channel.attr(LET_IN).get() != null) return null;
          return refused(13, "Unauthorized", "Command " + name + " requires authentication");
      }
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      return failed();
    }
  }

  private Document begin(Channel channel, Document command) {
    if (!"SCRAM-SHA-256".equals(command.get("mechanism"))) return refused(334, "MechanismUnavailable", "SCRAM-SHA-256 only");
    // n,,n=user,r=nonce
    String first = text(command).substring(3);
    String[] parts = first.split(",");
    byte[] bytes = new byte[18];
    random.nextBytes(bytes);
    String nonce = parts[1].substring(2) + Base64.getEncoder().encodeToString(bytes);
    byte[] salt = new byte[28];
    random.nextBytes(salt);
    String answer = "r=" + nonce + ",s=" + Base64.getEncoder().encodeToString(salt) + ",i=" + ITERATIONS;
    channel.attr(CONVERSATION).set(new Conversation(parts[0].substring(2), first, answer, nonce, salt));
    return step(answer, false);
  }

  private Document proceed(Channel channel, Document command) throws IOException, GeneralSecurityException {
    Conversation begun = channel.attr(CONVERSATION).get();
    String last = text(command);
    // The driver's empty last step.
    if (last.isEmpty()) return step("", true);
    int end = last.lastIndexOf(",p=");
    String withoutProof = last.substring(0, end);
    byte[] proof = Base64.getDecoder().decode(last.substring(end + 3));
    String message = begun.clientFirst + "," + begun.serverFirst + "," + withoutProof;
    char[] password = Files.readString(passwordFile).strip().toCharArray();
    byte[] salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
        .generateSecret(new PBEKeySpec(password, begun.salt, ITERATIONS, 256)).getEncoded();
    byte[] storedKey = MessageDigest.getInstance("SHA-256").digest(hmac(salted, "Client Key"));
    byte[] key = hmac(storedKey, message);
    for (int i = 0; i < key.length; i++) key[i] ^= proof[i];
    boolean isRight = Arrays.equals(MessageDigest.getInstance("SHA-256").digest(key), storedKey);
    if (!isRight || !begun.user.equals(user) || !withoutProof.contains("r=" + begun.nonce)) return failed();
    channel.attr(LET_IN).set(true);
    byte[] signature = hmac(hmac(salted, "Server Key"), message);
    return step("v=" + Base64.getEncoder().encodeToString(signature), true);
  }

  private Document byCertificate(Channel channel) throws SSLPeerUnverifiedException {
    SslHandler tls = channel.pipeline().get(SslHandler.class);
    if (tls == null) return failed();
    X509Certificate certificate = (X509Certificate) tls.engine().getSession().getPeerCertificates()[0];
    if (!certificate.getSubjectX500Principal().getName().equals("CN=" + user)) return failed();
    channel.attr(LET_IN).set(true);
    return new Document("dbname", "$external").append("user", "CN=" + user).append("ok", 1.0);
  }

  private static String text(Document command) {
    Object payload = command.get("payload");
    byte[] bytes = payload instanceof BinData data ? data.getData() : (byte[]) payload;
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Document step(String payload, boolean done) {
    return new Document("conversationId", 1)
        .append("done", done)
        .append("payload", new BinData(payload.getBytes(StandardCharsets.UTF_8)))
        .append("ok", 1.0);
  }

  private static byte[] hmac(byte[] key, String message) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(message.getBytes(StandardCharsets.UTF_8));
  }

  private static Document failed() {
    return refused(18, "AuthenticationFailed", "Authentication failed.");
  }

  private static Document refused(int code, String name, String message) {
    return new Document("ok", 0.0).append("errmsg", message).append("code", code).append("codeName", name);
  }
}
