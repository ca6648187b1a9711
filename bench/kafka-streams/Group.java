import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What a correlation document says of its members: first and last time, services, levels, offsets. */
final class Group {
    /** What grouping needs of a log event, and where it lies. */
    record Member(long offset, long timestamp, int level, String service) {}

    private static final int LEVELS = 6;

    private long firstAt = Long.MAX_VALUE;
    private long lastAt = Long.MIN_VALUE;
    private final List<String> services = new ArrayList<>(4);
    private final int[] levels = new int[LEVELS];
    private long[] offsets = new long[8];
    private int count;

    Group add(Member member) {
        firstAt = Math.min(firstAt, member.timestamp());
        lastAt = Math.max(lastAt, member.timestamp());
        levels[member.level()]++;
        if (!services.contains(member.service())) services.add(member.service());
        addOffset(member.offset());
        return this;
    }

    Group merge(Group later) {
        if (count == 0) return later;
        firstAt = Math.min(firstAt, later.firstAt);
        lastAt = Math.max(lastAt, later.lastAt);
        for (int i = 0; i < LEVELS; i++) levels[i] += later.levels[i];
        for (String service : later.services) if (!services.contains(service)) services.add(service);
        for (int i = 0; i < later.count; i++) addOffset(later.offsets[i]);
        return this;
    }

    private void addOffset(long offset) {
        if (count == offsets.length) offsets = Arrays.copyOf(offsets, 2 * count);
        offsets[count++] = offset;
    }

    /** In Avro's binary encoding; offsets as the difference to the one before. */
    static Serde<Group> serde() {
        return Serdes.serdeFrom((topic, group) -> group == null ? null : group.write(), (topic, bytes) -> bytes == null ? null : read(bytes));
    }

    private byte[] write() {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 + 4 * count);
            BinaryEncoder out = EncoderFactory.get().directBinaryEncoder(bytes, null);
            out.writeLong(firstAt);
            out.writeLong(lastAt);
            out.writeInt(services.size());
            for (String service : services) out.writeString(service);
            for (int level : levels) out.writeInt(level);
            out.writeInt(count);
            for (int i = 0; i < count; i++) out.writeLong(i == 0 ? offsets[0] : offsets[i] - offsets[i - 1]);
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Group read(byte[] bytes) {
        try {
            BinaryDecoder in = DecoderFactory.get().directBinaryDecoder(new ByteArrayInputStream(bytes), null);
            Group group = new Group();
            group.firstAt = in.readLong();
            group.lastAt = in.readLong();
            for (int left = in.readInt(); left > 0; left--) group.services.add(in.readString());
            for (int i = 0; i < LEVELS; i++) group.levels[i] = in.readInt();
            int members = in.readInt();
            long offset = 0;
            for (int i = 0; i < members; i++) group.addOffset(offset += in.readLong());
            return group;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
