{{- define "logloom.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What the code fixes about each component: its command, its ports, and which egress it needs. */}}
{{- define "logloom.facts" -}}
single:
  command: [node, apps/logloom/src/main.ts, up]
  healthPort: 4380
  healthPortName: viewers
  metricsPort: 9190
  ports: { viewers: 4380, ingest: 4318, syslog-tcp: 5514, syslog-udp: 5514, otlp-grpc: 4317, syslog-tls: 6514, forward-tcp: 24224, forward-udp: 24224, gelf-tcp: 12201, gelf-udp: 12201, metrics: 9190 }
  egress: [https, traces]
ingest:
  command: [node, services/ingest/src/main.ts]
  healthPort: 9101
  healthPortName: metrics
  ports: { ingest: 4318, syslog-tcp: 5514, syslog-udp: 5514, otlp-grpc: 4317, syslog-tls: 6514, forward-tcp: 24224, forward-udp: 24224, gelf-tcp: 12201, gelf-udp: 12201, metrics: 9101 }
  egress: [kafka, schemaRegistry, traces]
correlator:
  command: [node, services/correlator/src/main.ts]
  healthPort: 9102
  healthPortName: metrics
  ports: { metrics: 9102 }
  egress: [kafka, schemaRegistry, traces]
  group: correlator
indexer:
  command: [node, services/indexer/src/main.ts]
  healthPort: 9103
  healthPortName: api
  metricsPort: 9190
  ports: { api: 9103, metrics: 9190 }
  egress: [kafka, schemaRegistry, elasticsearch, mongodb, redis, https, traces]
  group: indexer
fanout:
  command: [node, services/fanout/src/main.ts]
  healthPort: 9104
  healthPortName: metrics
  ports: { live: 4380, metrics: 9104 }
  egress: [kafka, schemaRegistry, mongodb, redis, https, traces]
canary:
  command: [node, apps/logloom/src/main.ts, canary]
  healthPort: 9105
  healthPortName: metrics
  ports: { metrics: 9105 }
  egress: [kafka, schemaRegistry, traces]
front:
  healthPort: 8080
  healthPortName: viewers
  ports: { viewers: 8080 }
  egress: []
{{- end -}}

{{/* Ingest's ports that have a service of their own, by its key below `services`: the service's name, the setting, and the ports' names. */}}
{{- define "logloom.receivers" -}}
syslog: { name: syslog, setting: SYSLOG_PORT, ports: [syslog-tcp, syslog-udp] }
syslogTls: { name: syslog-tls, setting: SYSLOG_TLS_PORT, ports: [syslog-tls] }
otlpGrpc: { name: otlp-grpc, setting: OTLP_GRPC_PORT, ports: [otlp-grpc] }
forward: { name: forward, setting: FORWARD_PORT, ports: [forward-tcp, forward-udp] }
gelf: { name: gelf, setting: GELF_PORT, ports: [gelf-tcp, gelf-udp] }
{{- end -}}

{{/* The names of these receivers' ports: `open` those that are enabled, `closed` the others. As JSON. */}}
{{- define "logloom.receiverPorts" -}}
{{- $open := list -}}
{{- $closed := list -}}
{{- range $key, $receiver := include "logloom.receivers" . | fromYaml -}}
{{- if (index $.Values.services $key).enabled -}}{{- $open = concat $open $receiver.ports -}}
{{- else -}}{{- $closed = concat $closed $receiver.ports -}}{{- end -}}
{{- end -}}
{{- dict "open" $open "closed" $closed | toJson -}}
{{- end -}}

{{/* The components that the mode has, as a JSON array. */}}
{{- define "logloom.components" -}}
{{- $services := list "ingest" "correlator" "indexer" "fanout" "front" -}}
{{- if .Values.canary.enabled -}}{{- $services = append $services "canary" -}}{{- end -}}
{{- ternary (list "single") $services (eq .Values.mode "single") | toJson -}}
{{- end -}}

{{/* The helpers below take a dict with `root` and `name`, the name of a component. */}}
{{- define "logloom.componentName" -}}
{{- $fullname := include "logloom.fullname" .root -}}
{{- ternary $fullname (printf "%s-%s" $fullname .name) (eq .name "single") -}}
{{- end -}}

{{- define "logloom.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "logloom.labels" -}}
{{ include "logloom.selector" . }}
app.kubernetes.io/part-of: logloom
{{- end -}}

{{- define "logloom.serviceAccount" -}}
{{- default (ternary (include "logloom.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "logloom.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* A whole number as digits: Helm reads numbers as floats, and would print large ones with an exponent. */}}
{{- define "logloom.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/* The settings of a component as values.yaml has them, its own over those of all: a JSON object. The canary waits for documents as long as the correlator. */}}
{{- define "logloom.settings" -}}
{{- $settings := dict -}}
{{- $known := ternary (pick .root.Values.correlator.settings "CORRELATION_IDLE_MS") dict (eq .name "canary") -}}
{{- range $of := list .root.Values.settings $known (index .root.Values .name).settings -}}
{{- range $key, $value := $of -}}{{- $_ := set $settings $key $value -}}{{- end -}}
{{- end -}}
{{- $settings | toJson -}}
{{- end -}}

{{/* Names that the component's own ports are called by, for ALLOWED_HOSTS. */}}
{{- define "logloom.allowedHosts" -}}
{{- $root := .root -}}
{{- $hosts := list -}}
{{- $fullname := include "logloom.fullname" $root -}}
{{- $suffixes := list "" (printf ".%s" $root.Release.Namespace) (printf ".%s.svc" $root.Release.Namespace) (printf ".%s.svc.%s" $root.Release.Namespace $root.Values.clusterDomain) -}}
{{- $services := dict "single" (list "ingest" "viewers" "syslog" "otlp-grpc" "metrics") "ingest" (list "ingest" "syslog" "otlp-grpc" "ingest-metrics") "correlator" (list "correlator") "indexer" (list "indexer" "viewers") "fanout" (list "fanout" "viewers") "canary" (list "canary") -}}
{{- range $service := index $services .name -}}
{{- range $suffix := $suffixes -}}
{{- $hosts = append $hosts (printf "%s-%s%s" $fullname $service $suffix) -}}
{{- end -}}
{{- end -}}
{{- if $root.Values.ingress.enabled -}}
{{- if has .name (list "single" "ingest") -}}{{- $hosts = append $hosts $root.Values.ingress.ingest.host -}}{{- end -}}
{{- if has .name (list "single" "indexer" "fanout") -}}{{- $hosts = append $hosts $root.Values.ingress.viewers.host -}}{{- end -}}
{{- end -}}
{{- concat $hosts $root.Values.allowedHosts | compact | uniq | join "," -}}
{{- end -}}

{{/* The environment of a component's container, sorted, as a list. */}}
{{- define "logloom.env" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- $auth := $root.Values.auth -}}
{{- $env := dict -}}
{{- $settings := include "logloom.settings" . | fromJson -}}
{{- $fullname := include "logloom.fullname" $root -}}
{{- $facts := include "logloom.facts" $root | fromYaml -}}
{{- if eq $name "canary" -}}
{{- $_ := set $env "CANARY_INGEST_URL" (printf "http://%s-ingest:%v" $fullname $facts.ingest.ports.ingest) -}}
{{- $_ := set $env "CANARY_SEARCH_URL" (printf "http://%s-indexer:%v" $fullname $facts.indexer.ports.api) -}}
{{- $_ := set $env "CANARY_VIEWERS_URL" (printf "http://%s-fanout:%v" $fullname $facts.fanout.ports.live) -}}
{{- if $root.Values.services.syslog.enabled -}}{{- $_ := set $env "CANARY_SYSLOG" (printf "%s-syslog:%v" $fullname (index $facts.ingest.ports "syslog-tcp")) -}}
{{- else -}}{{- $_ := set $env "SYSLOG_PORT" "0" -}}{{- end -}}
{{- end -}}
{{- range $key, $value := $settings -}}{{- $_ := set $env $key (include "logloom.text" $value) -}}{{- end -}}
{{- if $root.Values.canary.enabled -}}{{- $_ := set $env "CANARY" "on" -}}{{- end -}}
{{- $_ := set $env "HOST" $root.Values.listenAddress -}}
{{- $_ := set $env "ALLOWED_HOSTS" (include "logloom.allowedHosts" .) -}}
{{- if has $name (list "single" "indexer") -}}{{- $_ := set $env "LOGLOOM_DATA" "/data/logloom" -}}{{- end -}}
{{- /* Where the port for health serves the outside too. */}}
{{- with (index $facts $name).metricsPort -}}{{- $_ := set $env "METRICS_PORT" (toString .) -}}{{- end -}}
{{- if has $name (list "single" "ingest") -}}
{{- range $key, $receiver := include "logloom.receivers" $root | fromYaml -}}
{{- $port := index $facts $name "ports" (first $receiver.ports) -}}
{{- $_ := set $env $receiver.setting (ternary (toString $port) "0" (index $root.Values.services $key).enabled) -}}
{{- end -}}
{{- if $root.Values.services.syslogTls.enabled -}}
{{- range $setting := list "SYSLOG_TLS_CERT" "SYSLOG_TLS_KEY" -}}
{{- if not (or (hasKey $root.Values.secretSettings $setting) (hasKey $settings (printf "%s_FILE" $setting))) -}}
{{- fail (printf "services.syslogTls needs secretSettings.%s, or settings.%s_FILE with a file of extraVolumes" $setting $setting) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $auth.senders.keysSecret.name -}}{{- $_ := set $env "INGEST_KEYS" (printf "/etc/logloom/keys/%s" $auth.senders.keysSecret.key) -}}
{{- else if $auth.senders.allowAnonymous -}}{{- $_ := set $env "INGEST_ALLOW_NO_AUTH" "true" -}}
{{- else -}}{{- fail "auth.senders: set keysSecret.name (docs/security.md says how keys are made), or allowAnonymous: true where something else protects the ports" -}}{{- end -}}
{{- end -}}
{{- if has $name (list "single" "indexer" "fanout") -}}
{{- with $root.Values.trustedProxies -}}{{- $_ := set $env "LIVE_TRUSTED_PROXIES" (join "," .) -}}{{- end -}}
{{- if $auth.viewers.jwksUrl -}}{{- $_ := set $env "LIVE_AUTH_JWKS" $auth.viewers.jwksUrl -}}
{{- else if $auth.viewers.jwksConfigMap.name -}}{{- $_ := set $env "LIVE_AUTH_JWKS" (printf "/etc/logloom/jwks/%s" $auth.viewers.jwksConfigMap.key) -}}
{{- else if $auth.viewers.allowAnonymous -}}{{- $_ := set $env "LIVE_ALLOW_NO_AUTH" "true" -}}
{{- else -}}{{- fail "auth.viewers: set jwksUrl or jwksConfigMap.name, or allowAnonymous: true where something else protects the port" -}}{{- end -}}
{{- with $auth.viewers.issuer -}}{{- $_ := set $env "LIVE_AUTH_ISSUER" . -}}{{- end -}}
{{- with $auth.viewers.audience -}}{{- $_ := set $env "LIVE_AUTH_AUDIENCE" . -}}{{- end -}}
{{- end -}}
{{- if and $root.Values.correlationRules (has $name (list "single" "correlator")) -}}{{- $_ := set $env "CORRELATION_RULES" "/etc/logloom/rules/rules.yaml" -}}{{- end -}}
{{- if and $root.Values.receiversSecret.name (has $name (list "single" "indexer")) -}}{{- $_ := set $env "RECEIVERS" (printf "/etc/logloom/receivers/%s" $root.Values.receiversSecret.key) -}}{{- end -}}
{{- $asFiles := eq $root.Values.secretSettingsAs "file" -}}
{{- if $asFiles -}}{{- range $setting, $_ := $root.Values.secretSettings -}}{{- $_ := set $env (printf "%s_FILE" $setting) (printf "/etc/logloom/secrets/%s" $setting) -}}{{- end -}}{{- end -}}
{{- range $key := keys $env | sortAlpha }}
- name: {{ $key }}
  value: {{ get $env $key | quote }}
{{- end }}
{{- if not $asFiles }}
{{- range $setting, $ref := $root.Values.secretSettings }}
- name: {{ $setting }}
  valueFrom: { secretKeyRef: { name: {{ $ref.secret }}, key: {{ $ref.key }} } }
{{- end }}
{{- end }}
{{- end -}}

{{/* What is mounted besides /tmp and the data: a JSON array of { name, path, source }. */}}
{{- define "logloom.mounts" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- $mounts := list -}}
{{- if and $root.Values.secretSettings (eq $root.Values.secretSettingsAs "file") -}}
{{- $sources := list -}}
{{- range $setting, $ref := $root.Values.secretSettings -}}
{{- $sources = append $sources (dict "secret" (dict "name" $ref.secret "items" (list (dict "key" $ref.key "path" $setting)))) -}}
{{- end -}}
{{- $mounts = append $mounts (dict "name" "secrets" "path" "/etc/logloom/secrets" "source" (dict "projected" (dict "defaultMode" 288 "sources" $sources))) -}}
{{- end -}}
{{- if and $root.Values.auth.senders.keysSecret.name (has $name (list "single" "ingest")) -}}
{{- $mounts = append $mounts (dict "name" "keys" "path" "/etc/logloom/keys" "source" (dict "secret" (dict "secretName" $root.Values.auth.senders.keysSecret.name "defaultMode" 288))) -}}
{{- end -}}
{{- if and $root.Values.auth.viewers.jwksConfigMap.name (not $root.Values.auth.viewers.jwksUrl) (has $name (list "single" "indexer" "fanout")) -}}
{{- $mounts = append $mounts (dict "name" "jwks" "path" "/etc/logloom/jwks" "source" (dict "configMap" (dict "name" $root.Values.auth.viewers.jwksConfigMap.name))) -}}
{{- end -}}
{{- if and $root.Values.correlationRules (has $name (list "single" "correlator")) -}}
{{- $mounts = append $mounts (dict "name" "rules" "path" "/etc/logloom/rules" "source" (dict "configMap" (dict "name" (printf "%s-rules" (include "logloom.fullname" $root))))) -}}
{{- end -}}
{{- if and $root.Values.receiversSecret.name (has $name (list "single" "indexer")) -}}
{{- $mounts = append $mounts (dict "name" "receivers" "path" "/etc/logloom/receivers" "source" (dict "secret" (dict "secretName" $root.Values.receiversSecret.name "defaultMode" 288))) -}}
{{- end -}}
{{- $mounts | toJson -}}
{{- end -}}

{{/* From the order to stop until the kubelet kills: preStop with a fan-out's drain, what the process allows itself (20 s and LIVE_DRAIN_MS, libs/runtime/src/end-anyway.ts), 5 s of reserve. */}}
{{- define "logloom.graceSeconds" -}}
{{- $settings := include "logloom.settings" . | fromJson -}}
{{- $drain := divf (float64 (default 3000 (get $settings "LIVE_DRAIN_MS"))) 1000 | ceil -}}
{{- $away := ternary .root.Values.drainSeconds 0 (eq .name "fanout") -}}
{{- addf .root.Values.preStopSeconds $away 20 $drain 5 | int64 -}}
{{- end -}}

{{- define "logloom.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* What the pods of all components have in common; takes also `user`, the number of the image's user. */}}
{{- define "logloom.podPolicy" -}}
{{- $values := index .root.Values .name -}}
serviceAccountName: {{ include "logloom.serviceAccount" .root }}
automountServiceAccountToken: false
# The names that Kubernetes would add begin like settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  # Else each start would open the files of the volume to their group.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and .root.Values.topologySpread (ne .name "single") }}
topologySpreadConstraints:
  {{- range .root.Values.topologySpread }}
  - topologyKey: {{ .topologyKey }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    maxSkew: 1
    # Each release by itself, not beside the pods that it replaces.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "logloom.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The pod of a component that runs Logloom's image: metadata and spec. */}}
{{- define "logloom.podTemplate" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- $values := index $root.Values $name -}}
{{- $facts := index (include "logloom.facts" $root | fromYaml) $name -}}
{{- $mounts := include "logloom.mounts" . | fromJsonArray -}}
metadata:
  labels:
    {{- include "logloom.labels" . | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "logloom.podPolicy" (dict "root" $root "name" $name "user" 1000) | nindent 2 }}
  terminationGracePeriodSeconds: {{ include "logloom.graceSeconds" . }}
  containers:
    - name: {{ ternary "logloom" $name (eq $name "single") }}
      image: {{ include "logloom.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: {{ $facts.command | toJson }}
      env: {{- include "logloom.env" . | trim | nindent 8 }}
      ports:
        {{- $closed := (include "logloom.receiverPorts" $root | fromJson).closed }}
        {{- range $port, $number := $facts.ports }}
        {{- if not (has $port $closed) }}
        - name: {{ $port }}
          containerPort: {{ $number }}
          {{- if hasSuffix "-udp" $port }}
          protocol: UDP
          {{- end }}
        {{- end }}
        {{- end }}
      # A start after a crash first reads back what it needs from the log: liveness waits for two minutes until the port is open.
      startupProbe:
        httpGet: { path: /health/live, port: {{ $facts.healthPortName }} }
        periodSeconds: 2
        timeoutSeconds: 5
        failureThreshold: 60
      # Only a process that answers nothing for a minute is killed: a new one would have the same engines and the same load.
      livenessProbe:
        httpGet: { path: /health/live, port: {{ $facts.healthPortName }} }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /health/ready, port: {{ $facts.healthPortName }} }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      lifecycle:
        # It serves on while others learn that the pod is going; then TERM drains it.
        {{- if eq $name "fanout" }}
        # Before that its viewers go to other pods, over drainSeconds. Where it may not ask for that, TERM sends them away.
        preStop: { exec: { command: [sh, -c, 'sleep {{ $root.Values.preStopSeconds }}; node apps/logloom/src/main.ts drain --over {{ $root.Values.drainSeconds }} || true'] } }
        {{- else }}
        preStop: { sleep: { seconds: {{ $root.Values.preStopSeconds }} } }
        {{- end }}
      resources: {{- toYaml $values.resources | nindent 8 }}
      securityContext: {{- include "logloom.containerSecurity" $root | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- if has $name (list "single" "indexer") }}
        - { name: data, mountPath: /data }
        {{- end }}
        {{- range $mounts }}
        - { name: {{ .name }}, mountPath: {{ .path }}, readOnly: true }
        {{- end }}
        {{- with $root.Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    # Compiled code, which makes the next start in the same pod faster.
    - name: tmp
      emptyDir: { sizeLimit: 256Mi }
    {{- if eq $name "indexer" }}
    # Its copy of what Redis holds of jobs (docs/jobs.md). Another indexer has one too.
    - name: data
      emptyDir: { sizeLimit: 1Gi }
    {{- end }}
    {{- range $mounts }}
    - name: {{ .name }}
      {{- toYaml .source | nindent 6 }}
    {{- end }}
    {{- with $root.Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The pod of nginx with the console's files, which an init container copies out of Logloom's image. */}}
{{- define "logloom.frontTemplate" -}}
{{- $values := .root.Values.front -}}
metadata:
  labels:
    {{- include "logloom.labels" . | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # nginx reads its configuration at the start only.
    checksum/configuration: {{ tpl (.root.Files.Get "files/front.conf") .root | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "logloom.podPolicy" (dict "root" .root "name" .name "user" 101) | nindent 2 }}
  terminationGracePeriodSeconds: {{ addf .root.Values.preStopSeconds 25 | int64 }}
  initContainers:
    - name: console
      image: {{ include "logloom.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command: [sh, -c, mkdir /srv/console/viewer && cp -R apps/console/src/page /srv/console/page && cp -R clients/viewer/src /srv/console/viewer/src]
      resources: {{- toYaml $values.resources | nindent 8 }}
      securityContext: {{- include "logloom.containerSecurity" .root | nindent 8 }}
      volumeMounts:
        - { name: console, mountPath: /srv/console }
  containers:
    - name: front
      image: {{ $values.image }}
      ports:
        - { name: viewers, containerPort: 8080 }
      readinessProbe:
        httpGet: { path: /, port: viewers }
        periodSeconds: 5
      livenessProbe:
        tcpSocket: { port: viewers }
        periodSeconds: 10
        failureThreshold: 6
      lifecycle:
        preStop: { sleep: { seconds: {{ .root.Values.preStopSeconds }} } }
      resources: {{- toYaml $values.resources | nindent 8 }}
      securityContext: {{- include "logloom.containerSecurity" .root | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        - { name: console, mountPath: /srv/console, readOnly: true }
        - { name: configuration, mountPath: /etc/nginx/conf.d, readOnly: true }
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 256Mi }
    - name: console
      emptyDir: { sizeLimit: 64Mi }
    - name: configuration
      configMap: { name: {{ include "logloom.fullname" .root }}-front }
{{- end -}}

{{/* Stops with a line for each thing that `mode: services` lacks. */}}
{{- define "logloom.checkServices" -}}
{{- range $setting := list "KAFKA_BROKERS" "ELASTICSEARCH_URL" "MONGODB_URL" "REDIS_URL" -}}
{{- if not (or (hasKey $.Values.settings $setting) (hasKey $.Values.secretSettings $setting)) -}}
{{- fail (printf "mode: services needs settings.%s, or secretSettings.%s: pods share nothing but the engines" $setting $setting) -}}
{{- end -}}
{{- end -}}
{{- if and (or (gt (int .Values.indexer.replicas) 1) .Values.indexer.autoscaling.enabled) (not (hasKey .Values.secretSettings "CURSOR_KEY")) -}}
{{- fail "several indexers need secretSettings.CURSOR_KEY: a page of a search continues at any of them" -}}
{{- end -}}
{{- if and .Values.canary.enabled (not (hasKey .Values.secretSettings "CANARY_SECRET")) -}}
{{- fail "mode: services with canary.enabled needs secretSettings.CANARY_SECRET: all services mark and know the canary's events by it" -}}
{{- end -}}
{{- $partitions := int (default 4 .Values.settings.LOG_PARTITIONS) -}}
{{- range $name := list "correlator" "indexer" -}}
{{- $values := index $.Values $name -}}
{{- $most := ternary $values.autoscaling.maxReplicas $values.replicas $values.autoscaling.enabled -}}
{{- if gt (int $most) $partitions -}}
{{- fail (printf "%s: %d pods, but LOG_PARTITIONS is %d: the others would have nothing to read" $name (int $most) $partitions) -}}
{{- end -}}
{{- end -}}
{{- end -}}
