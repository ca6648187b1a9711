import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The correlator's rival: logs.events in session windows by key, each written once when its window has closed.
 * Arguments: brokers, application id, output topic, gap and grace (ms), log-event.avsc, state folder.
 */
public final class SessionGrouping {
    private static final int HEADER_BYTES = 5;

    public static void main(String[] args) throws Exception {
        Duration gap = Duration.ofMillis(Long.parseLong(args[3]));
        Duration grace = Duration.ofMillis(Long.parseLong(args[4]));
        Schema schema = new Schema.Parser().parse(new File(args[5]));
        SessionWindows windows = SessionWindows.ofInactivityGapAndGrace(gap, grace);
        Topology topology = topology(schema, windows, args[2]);
        KafkaStreams streams = new KafkaStreams(topology, settings(args[0], args[1], args[6]));
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(20));
            stopped.countDown();
        }));
        streams.start();
        stopped.await();
    }

    private static Topology topology(Schema schema, SessionWindows windows, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        Duration retention = Duration.ofMillis(windows.inactivityGap() + windows.gracePeriodMs()).plusMinutes(1);
        SessionWindowedKStream<String, Group.Member> sessions = builder
            .stream("logs.events", Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .processValues(() -> new Decode(schema))
            .groupByKey()
            .windowedBy(windows);
        // In memory: the cheaper of the stores. Its changelog stays on; without it a restart would lose the open windows.
        Materialized<String, Group, SessionStore<Bytes, byte[]>> store = Materialized
            .<String, Group>as(Stores.inMemorySessionStore("groups", retention))
            .withKeySerde(Serdes.String())
            .withValueSerde(Group.serde());
        sessions
            .emitStrategy(EmitStrategy.onWindowClose())
            .aggregate(Group::new, (key, member, group) -> group.add(member), (key, earlier, later) -> earlier.merge(later), store)
            .toStream((window, group) -> window.key())
            .filter((key, group) -> group != null)
            .to(output, Produced.with(Serdes.String(), Group.serde()));
        return builder.build();
    }

    private static Properties settings(String brokers, String application, String stateFolder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateFolder);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 500);
        // Otherwise the last windows would wait for a record a second after the one that closed them.
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "zstd");
        return settings;
    }

    /** Framed Avro to what grouping needs; the reader skips the other fields. */
    private static final class Decode extends ContextualFixedKeyProcessor<String, byte[], Group.Member> {
        private final GenericDatumReader<GenericRecord> reader;
        private final Schema levels;
        private BinaryDecoder decoder;
        private GenericRecord event;

        Decode(Schema schema) {
            levels = schema.getField("level").schema();
            Schema needed = Schema.createRecord(schema.getName(), null, schema.getNamespace(), false);
            needed.setFields(java.util.stream.Stream.of("timestamp", "level", "service")
                .map(name -> new Schema.Field(name, schema.getField(name).schema()))
                .toList());
            reader = new GenericDatumReader<>(schema, needed);
        }

        @Override
        public void process(FixedKeyRecord<String, byte[]> record) {
            // A tick or rules of the correlator's, which are not grouped.
            if (record.key() == null) return;
            byte[] value = record.value();
            try {
                decoder = DecoderFactory.get().binaryDecoder(value, HEADER_BYTES, value.length - HEADER_BYTES, decoder);
                event = reader.read(event, decoder);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            long offset = context().recordMetadata().orElseThrow().offset();
            int level = levels.getEnumOrdinal(event.get(1).toString());
            context().forward(record.withValue(new Group.Member(offset, (Long) event.get(0), level, event.get(2).toString())));
        }
    }
}
