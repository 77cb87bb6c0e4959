FROM python:3.11-slim
WORKDIR /knlite
COPY pyproject.toml README.md LICENSE ./
COPY knlite/ knlite/
RUN python3 -m pip install --no-cache-dir '.[rabbitmq,kafka,otel]'
ENTRYPOINT ["knlite"]
CMD ["up", "examples/", "--address", "0.0.0.0"]
