{{- define "redis.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name }}{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "redis.selector" -}}
app.kubernetes.io/name: redis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "redis.labels" -}}
{{ include "redis.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "redis.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ default (include "redis.name" .) .Values.serviceAccount.name }}{{- else -}}{{ default "default" .Values.serviceAccount.name }}{{- end -}}
{{- end -}}

{{- define "redis.secret" -}}
{{ default (include "redis.name" .) .Values.auth.existingSecret }}
{{- end -}}

{{- define "redis.image" -}}
{{ printf "%s/%s:%s" .registry .repository (toString .tag) }}
{{- end -}}

{{- define "redis.password" -}}
{{- if .Values.auth.enabled }}
- name: REDIS_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "redis.secret" . }}, key: {{ .Values.auth.existingSecretPasswordKey }} } }
{{- else }}
- { name: ALLOW_EMPTY_PASSWORD, value: "yes" }
{{- end }}
{{- end -}}

{{- define "redis.external" -}}
{{- if .enabled }}
- { name: REDIS_EXTERNAL_MASTER_HOST, value: {{ .host | quote }} }
- { name: REDIS_EXTERNAL_MASTER_PORT, value: {{ .port | quote }} }
{{- end }}
{{- end -}}
