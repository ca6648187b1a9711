import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/** Packs the folder of the first argument into the jar of the second: plugins have to be jars, and a JRE has no jar command. */
public class PackPlugin {
  public static void main(String[] args) throws IOException {
    Path classes = Path.of(args[0]);
    try (var jar = new JarOutputStream(Files.newOutputStream(Path.of(args[1])));
        var walk = Files.walk(classes)) {
      List<Path> files = walk.filter(Files::isRegularFile).toList();
      for (Path file : files) {
        jar.putNextEntry(new JarEntry(classes.relativize(file).toString()));
        Files.copy(file, jar);
      }
    }
  }
}
