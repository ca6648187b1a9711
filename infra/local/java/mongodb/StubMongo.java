import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import io.netty.channel.Channel;
import java.time.Instant;
import java.util.Collection;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * mongo-java-server as a current driver accepts it: it claims MongoDB 7's wire version, knows sessions, expires documents, and in the
 * mode "mongos" looks like the router of a sharded cluster. What it does not do is in the README. Arguments: port, mode; and for TLS and a
 * login: the files of the server's certificate and key and of the authority, the user, the file of the password.
 */
public class StubMongo extends MemoryBackend {
  private static final int WIRE_VERSION = 21;

  private final boolean router;
  /** Null: everybody may do everything. */
  private final Logins logins;
  private final Map<String, Document> shardKeys = new ConcurrentHashMap<>();
  private final ExpirySweeper sweeper =
      new ExpirySweeper((database, name) -> resolveDatabase(database).resolveCollection(name, false));

  StubMongo(boolean router, Logins logins) {
    this.router = router;
    this.logins = logins;
    version(new MongoVersion() {
      @Override
      public List<Integer> getVersionArray() {
        return List.of(7, 0, 0);
      }

      @Override
      public int getWireVersion() {
        return WIRE_VERSION;
      }
    });
  }

  /** Commands as current drivers send them. */
  @Override
  public Document handleMessage(MongoMessage message) {
    Document command = message.getDocument();
    Document answer = answerOurselves(message.getChannel(), message.getDatabaseName(), command);
    if (answer != null) return answer;
    answer = super.handleMessage(message);
    if (command.containsKey("insert")) correctInsertCount(command, answer);
    return answer;
  }

  /** The first command of a connection may still come in the old form. */
  @Override
  public Document handleCommand(Channel channel, String database, String name, Document command) {
    Document answer = answerOurselves(channel, database, command);
    return answer != null ? answer : super.handleCommand(channel, database, name, command);
  }

  /** Null leaves the command to mongo-java-server. */
  private Document answerOurselves(Channel channel, String database, Document command) {
    if (command.isEmpty()) return null;
    String name = command.keySet().iterator().next();
    Document login = logins == null ? null : logins.answer(channel, name, command);
    if (login != null) return login;
    switch (name.toLowerCase(Locale.ROOT)) {
      case "hello":
        return hello("isWritablePrimary");
      case "ismaster":
        return hello("ismaster");
      case "endsessions":
      case "refreshsessions":
        return ok();
      case "createindexes":
        sweeper.watch(database, String.valueOf(command.get(name)), command);
        return null;
      case "explain":
        return ok().append("queryPlanner", new Document("winningPlan", new Document("stage", "COLLSCAN")));
      default:
        return router ? answerAsRouter(name, command) : null;
    }
  }

  private Document answerAsRouter(String name, Document command) {
    switch (name.toLowerCase(Locale.ROOT)) {
      case "enablesharding":
        return ok();
      case "listshards":
        return ok().append("shards", List.of(shard(0), shard(1)));
      case "shardcollection":
        return shardCollection(String.valueOf(command.get(name)), (Document) command.get("key"));
      default:
        return null;
    }
  }

  private Document hello(String primaryField) {
    Document answer = new Document(primaryField, true).append("helloOk", true);
    if (router) answer.append("msg", "isdbgrid");
    return answer
        .append("maxBsonObjectSize", 16 * 1024 * 1024)
        .append("maxMessageSizeBytes", 48_000_000)
        .append("maxWriteBatchSize", 100_000)
        .append("localTime", Instant.now())
        .append("logicalSessionTimeoutMinutes", 30)
        .append("minWireVersion", 0)
        .append("maxWireVersion", WIRE_VERSION)
        .append("readOnly", false)
        .append("ok", 1.0);
  }

  private Document shardCollection(String namespace, Document key) {
    Document before = shardKeys.putIfAbsent(namespace, key);
    if (before == null || before.equals(key)) return ok().append("collectionsharded", namespace);
    return new Document("ok", 0.0)
        .append("code", 23)
        .append("codeName", "AlreadyInitialized")
        .append("errmsg", namespace + " is sharded with another key");
  }

  /** Where documents were refused, mongo-java-server counts them as inserted all the same. */
  private static void correctInsertCount(Document command, Document answer) {
    if (!(answer.get("writeErrors") instanceof Collection<?> errors) || errors.isEmpty()) return;
    int documents = ((Collection<?>) command.get("documents")).size();
    int firstRefused = ((Number) ((Document) errors.iterator().next()).get("index")).intValue();
    boolean ordered = !Boolean.FALSE.equals(command.get("ordered"));
    answer.put("n", ordered ? firstRefused : documents - errors.size());
  }

  private static Document shard(int number) {
    return new Document("_id", "shard" + number).append("host", "shard" + number + "/127.0.0.1:" + (number + 1));
  }

  private static Document ok() {
    return new Document("ok", 1.0);
  }

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    boolean secured = args.length > 2;
    Logins logins = secured ? new Logins(args[5], Path.of(args[6])) : null;
    MongoServer server = new MongoServer(new StubMongo(args[1].equals("mongos"), logins));
    if (secured) Certificates.enable(server, new File(args[2]), new File(args[3]), new File(args[4]));
    server.bind("127.0.0.1", port);
    System.out.println("listening on " + port);
    Thread.currentThread().join();
  }
}
