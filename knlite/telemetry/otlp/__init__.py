"""Telemetry out: traces and metrics by OTLP, to whom environment variables or a ConfigMap name.

What imports OpenTelemetry (``spanencoding.py``, ``metricencoding.py``, ``exporters.py`` and the two
``…sending.py``) is loaded when somebody wants telemetry, by the thread that sends it.
"""
