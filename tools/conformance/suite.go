//go:build e2e

// Package conformance names what is built from upstream, so that go.mod and go.sum pin it.
package conformance

import (
	_ "knative.dev/serving/test/conformance/api/v1"
	_ "knative.dev/serving/test/conformance/api/v1beta1"
	_ "knative.dev/serving/test/conformance/runtime"
)
