import CoreMetrics
import OpenAIServer
import Testing

@Suite struct PrometheusTests {
    @Test func `counters and gauges are one line for each set of labels`() {
        let metrics = PrometheusMetrics()
        let labels = [("model_name", "a\"b\\c\nd")]
        Counter(label: "vllm:generation_tokens_total", dimensions: labels, factory: metrics).increment(by: 7)
        Counter(label: "vllm:generation_tokens_total", dimensions: labels, factory: metrics).increment()
        let gauge = Meter(label: "vllm:kv_cache_usage_perc", dimensions: [("model_name", "m")], factory: metrics)
        gauge.set(0.25)
        Counter(label: "a b-c", dimensions: [("z", "1"), ("1x", "2")], factory: metrics).increment()
        #expect(
            metrics.exposition == """
                # TYPE a_b_c counter
                a_b_c{_1x="2",z="1"} 1
                # HELP vllm:generation_tokens_total Tokens generated.
                # TYPE vllm:generation_tokens_total counter
                vllm:generation_tokens_total{model_name="a\\"b\\\\c\\nd"} 8
                # HELP vllm:kv_cache_usage_perc Part of the KV cache in use, 1 is all of it.
                # TYPE vllm:kv_cache_usage_perc gauge
                vllm:kv_cache_usage_perc{model_name="m"} 0.25

                """)
    }

    @Test func `recorders and timers are cumulative histograms`() {
        let metrics = PrometheusMetrics(descriptions: ["h": MetricDescription("Help.", bounds: [0.5, 1, 2.5])])
        let recorder = Recorder(label: "h", dimensions: [("l", "v")], aggregate: true, factory: metrics)
        for value in [0.5, 0.75, 1.0, 99.0] { recorder.record(value) }
        Timer(label: "h", dimensions: [("l", "w")], factory: metrics).recordNanoseconds(2_000_000_000)
        #expect(
            metrics.exposition == """
                # HELP h Help.
                # TYPE h histogram
                h_bucket{l="v",le="0.5"} 1
                h_bucket{l="v",le="1"} 3
                h_bucket{l="v",le="2.5"} 3
                h_bucket{l="v",le="+Inf"} 4
                h_sum{l="v"} 101.25
                h_count{l="v"} 4
                h_bucket{l="w",le="0.5"} 0
                h_bucket{l="w",le="1"} 0
                h_bucket{l="w",le="2.5"} 1
                h_bucket{l="w",le="+Inf"} 1
                h_sum{l="w"} 2
                h_count{l="w"} 1

                """)
    }

    @Test func `a name keeps its first kind`() {
        let metrics = PrometheusMetrics()
        Counter(label: "x", factory: metrics).increment()
        Meter(label: "x", factory: metrics).set(5)
        #expect(metrics.exposition == "# TYPE x counter\nx 1\n")
    }

    @Test func `the bounds of every described histogram ascend`() {
        for (name, description) in MetricDescription.all {
            let bounds = description.bounds ?? []
            #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count, "\(name)")
        }
        #expect(MetricDescription.all.values.filter { $0.bounds != nil }.count == 4)
    }
}
