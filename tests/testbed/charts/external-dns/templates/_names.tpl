{{- define "external-dns.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name }}{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "external-dns.selector" -}}
app.kubernetes.io/name: external-dns
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "external-dns.labels" -}}
{{ include "external-dns.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "external-dns.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ default (include "external-dns.name" .) .Values.serviceAccount.name }}{{- else -}}{{ default "default" .Values.serviceAccount.name }}{{- end -}}
{{- end -}}

{{- define "external-dns.secret" -}}
{{ default (include "external-dns.name" .) .Values.aws.credentials.secretName }}
{{- end -}}
