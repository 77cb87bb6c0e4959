"""Telemetry out: traces and metrics by OTLP, to whom environment variables or a ConfigMap name.

What imports OpenTelemetry (``spanencoding.py``, ``exporters.py``, ``spansending.py`` and
``metricsending.py``) is loaded when somebody wants telemetry, by the thread that sends it.
"""
