import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs one Elasticsearch node until SIGTERM. Arguments: the config folder, then settings as key=value. It does what the official
 * launcher does but for its bootstrap checks, its entitlement agent (which is not published) and its refusal to run as root.
 */
public class LocalNode {
  public static void main(String[] args) throws Exception {
    Settings.Builder builder = Settings.builder();
    for (int i = 1; i < args.length; i++) {
      String[] setting = args[i].split("=", 2);
      builder.put(setting[0], setting[1]);
    }
    Settings settings = builder.build();
    LogConfigurator.configureESLogging();
    LogConfigurator.configureWithoutConfig(settings);

    Environment environment = new Environment(settings, Path.of(args[0]));
    var modules = PluginsLoader.loadModulesBundles(environment.modulesDir(), false);
    var plugins = PluginsLoader.loadPluginsBundles(environment.pluginsDir(), false);
    Node node = new Node(environment, PluginsLoader.createPluginsLoader(modules, plugins, Map.of(), false));
    node.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (Exception e) {
        e.printStackTrace();
      }
    }));
    Thread.currentThread().join();
  }
}
