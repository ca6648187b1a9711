package logloom;

import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterName;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/** Answers GET and HEAD of "/", which clients call for info and ping. It is in a module that is not published on its own. */
public class RootEndpoint extends Plugin implements ActionPlugin {
  @Override
  public List<RestHandler> getRestHandlers(
      RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> supports) {
    String cluster = ClusterName.CLUSTER_NAME_SETTING.get(services.settings()).value();
    return List.of(new Root(cluster, nodes));
  }

  private static class Root extends BaseRestHandler {
    private final String cluster;
    private final Supplier<DiscoveryNodes> nodes;

    Root(String cluster, Supplier<DiscoveryNodes> nodes) {
      this.cluster = cluster;
      this.nodes = nodes;
    }

    @Override
    public String getName() {
      return "root";
    }

    @Override
    public List<Route> routes() {
      return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
      return channel -> {
        XContentBuilder body = channel.newBuilder().startObject();
        body.field("name", nodes.get().getLocalNode().getName());
        body.field("cluster_name", cluster);
        body.startObject("version");
        body.field("number", Build.current().qualifiedVersion());
        body.field("build_flavor", Build.current().flavor());
        body.endObject();
        body.field("tagline", "You Know, for Search");
        channel.sendResponse(new RestResponse(RestStatus.OK, body.endObject()));
      };
    }
  }
}
