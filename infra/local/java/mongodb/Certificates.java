import de.bwaldvogel.mongo.MongoServer;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;

/** TLS by PEM files, with client certificates for those who show one: MongoServer's own enableSsl() asks for none. */
class Certificates {
  private Certificates() {}

  static void enable(MongoServer server, File certificate, File key, File authority)
      throws IOException, ReflectiveOperationException {
    SslContext context =
        SslContextBuilder.forServer(certificate, key).trustManager(authority).clientAuth(ClientAuth.OPTIONAL).build();
    Field field = MongoServer.class.getDeclaredField("sslContext");
    field.setAccessible(true);
    field.set(server, context);
  }
}
