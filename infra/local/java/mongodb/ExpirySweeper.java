import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.bson.Document;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/** Deletes expired documents once a second: mongo-java-server accepts indexes with expireAfterSeconds but never acts on them. */
class ExpirySweeper {
  private record Expiry(String database, String collection, String field, long seconds) {}

  private final Map<String, Expiry> expiries = new ConcurrentHashMap<>();
  private final BiFunction<String, String, MongoCollection<?>> collections;

  /** @param collections gives the collection of a database and a name, null if there is none */
  ExpirySweeper(BiFunction<String, String, MongoCollection<?>> collections) {
    this.collections = collections;
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
      Thread thread = new Thread(task, "expiry");
      thread.setDaemon(true);
      return thread;
    });
    timer.scheduleWithFixedDelay(this::sweep, 1, 1, TimeUnit.SECONDS);
  }

  /** Remembers the expiring indexes of a createIndexes command. */
  void watch(String database, String collection, Document createIndexes) {
    for (Object item : (Collection<?>) createIndexes.get("indexes")) {
      Document index = (Document) item;
      if (index.get("expireAfterSeconds") instanceof Number seconds) {
        String field = ((Document) index.get("key")).keySet().iterator().next();
        expiries.put(database + "." + collection, new Expiry(database, collection, field, seconds.longValue()));
      }
    }
  }

  private void sweep() {
    for (Expiry expiry : expiries.values()) {
      try {
        MongoCollection<?> collection = collections.apply(expiry.database, expiry.collection);
        if (collection == null) continue;
        Instant oldest = Instant.now().minusSeconds(expiry.seconds);
        collection.deleteDocuments(new Document(expiry.field, new Document("$lt", oldest)), 0);
      } catch (RuntimeException e) {
        e.printStackTrace();
      }
    }
  }
}
