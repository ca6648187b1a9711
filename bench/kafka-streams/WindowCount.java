import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.Stores;

/**
 * The rival of a rule over many events: errors of logs.events by host in tumbling windows; writes a host once for each window in which they are enough. Arguments: brokers, application id, output topic, window and grace (ms), how many are enough, log-event.avsc, state folder.
 */
public final class WindowCount {
    private static final int HEADER_BYTES = 5;

    public static void main(String[] args) throws Exception {
        Duration size = Duration.ofMillis(Long.parseLong(args[3]));
        Duration grace = Duration.ofMillis(Long.parseLong(args[4]));
        long enough = Long.parseLong(args[5]);
        Schema schema = new Schema.Parser().parse(new File(args[6]));
        Topology topology = topology(schema, size, grace, enough, args[2]);
        KafkaStreams streams = new KafkaStreams(topology, settings(args[0], args[1], args[7]));
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(20));
            stopped.countDown();
        }));
        streams.start();
        stopped.await();
    }

    private static Topology topology(Schema schema, Duration size, Duration grace, long enough, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        Duration retention = size.plus(grace).plusMinutes(1);
        builder
            .stream("logs.events", Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .process(() -> new ErrorsByHost(schema))
            // Through a topic of its own: events are not keyed by host.
            .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
            .windowedBy(TimeWindows.ofSizeAndGrace(size, grace))
            // Not on window close: a task that is ahead of the others would close windows for which they still have events.
            .count(Materialized.<String, Long>as(Stores.inMemoryWindowStore("counts", retention, size, false))
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long())
                .withCachingDisabled())
            .toStream((window, count) -> window.key())
            .filter((key, count) -> count == enough)
            .to(output, Produced.with(Serdes.String(), Serdes.Long()));
        return builder.build();
    }

    private static Properties settings(String brokers, String application, String stateFolder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateFolder);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 500);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "zstd");
        return settings;
    }

    /** Framed Avro to the hosts of errors; the reader skips the other fields. */
    private static final class ErrorsByHost extends ContextualProcessor<String, byte[], String, byte[]> {
        private static final byte[] NOTHING = new byte[0];
        private final GenericDatumReader<GenericRecord> reader;
        private BinaryDecoder decoder;
        private GenericRecord event;

        ErrorsByHost(Schema schema) {
            Schema needed = Schema.createRecord(schema.getName(), null, schema.getNamespace(), false);
            needed.setFields(Stream.of("level", "host")
                .map(name -> new Schema.Field(name, schema.getField(name).schema()))
                .toList());
            reader = new GenericDatumReader<>(schema, needed);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            // A tick or rules.
            if (record.key() == null) return;
            byte[] value = record.value();
            try {
                decoder = DecoderFactory.get().binaryDecoder(value, HEADER_BYTES, value.length - HEADER_BYTES, decoder);
                event = reader.read(event, decoder);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            if (!event.get(0).toString().equals("error")) return;
            context().forward(new Record<>(event.get(1).toString(), NOTHING, record.timestamp()));
        }
    }
}
