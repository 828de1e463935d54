import Reports

extension ComparisonReport {
    var qualityCharts: [any Chart] {
        [
            single("Perplexity, lower is better") { configuration in
                configuration.quality.map { Self.bar($0.perplexity, places: 2) }
            },
            divergenceChart, divergenceDistribution,
            single("Same most likely token as the reference, %") { configuration in
                configuration.quality?.against?.sameTopToken.map { share in
                    Self.bar(
                        Estimate(value: share.value * 100, standardError: share.standardError * 100), places: 1)
                }
            },
            single("Tokens of a greedy continuation before the first difference") { configuration in
                configuration.quality?.against?.identicalTokens.map { Self.bar($0, places: 1) }
            },
        ]
    }

    var speedCharts: [any Chart] {
        [
            decodeChart,
            grouped("Prefill, tokens/s", places: 0) { $0.prefillTokensPerSecond },
            grouped("Time to first token, median, ms: lower is better", places: 0) { $0.timeToFirstTokenMedian * 1000 },
            grouped("Inter-token latency, median, ms: lower is better", places: 1) {
                $0.interTokenLatencyMedian * 1000
            },
        ]
    }

    var memoryCharts: [any Chart] {
        [
            weightsChart, capacityChart,
            single("Peak resident memory of the process, MB") { configuration in
                configuration.memory.map { Self.megabytes($0.peakResidentBytes) }
            },
        ]
    }

    var divergenceChart: BarChart {
        single("KL divergence from the reference, mean, nats: lower is better") { configuration in
            configuration.quality?.against?.divergence.map { Self.bar($0, places: 4) }
        }
    }

    var decodeChart: BarChart {
        grouped("Decode, tokens/s", places: 0) { $0.decodeTokensPerSecond }
    }

    var weightsChart: BarChart {
        single("Weights, MB") { configuration in configuration.memory.map { Self.megabytes($0.weightsBytes) } }
    }

    var capacityChart: BarChart {
        let budget = ComparisonFigures.bytes(configurations.lazy.compactMap(\.memory).first?.budgetBytes ?? 0)
        return single("Cache capacity beside the weights, tokens, in \(budget)") { configuration in
            configuration.memory.map {
                .init(Double($0.cacheCapacityTokens), label: ComparisonFigures.grouped($0.cacheCapacityTokens))
            }
        }
    }

    private var divergenceDistribution: LineChart {
        // The reference has no line of its own, and the others keep their colours of the other charts.
        let series = configurations.map { configuration in
            let quantiles = configuration.quality?.against?.divergenceQuantiles ?? []
            return LineChart.Series(
                name: configuration.name,
                points: quantiles.indices.map { (quantiles[$0], Double($0) / Double(quantiles.count - 1)) }
                    .filter { $0.0 >= 1e-6 })
        }
        return LineChart(
            title: "KL divergence of single predictions", xLabel: "nats (logarithmic)",
            yLabel: "fraction of predictions up to x", series: series, isLogarithmic: true, yLimit: 1)
    }

    /// One bar for each configuration; without a value, a label says why.
    private func single(_ title: String, _ bar: (Configuration) -> BarChart.Bar?) -> BarChart {
        let bars = configurations.map { configuration in
            bar(configuration)
                ?? BarChart.Bar(nil, label: configuration.name == reference ? "the reference" : "not measured")
        }
        return BarChart(
            title: title, series: configurations.map(\.name), groups: [BarChart.Group(name: "", bars: bars)])
    }

    /// One group for each number of requests at once.
    private func grouped(_ title: String, places: Int, _ value: (SpeedReport) -> Double) -> BarChart {
        let concurrencies = configurations.lazy.map { $0.speed.map(\.concurrency) }.first { !$0.isEmpty } ?? []
        let groups = concurrencies.enumerated().map { index, concurrency in
            let bars = configurations.map { configuration in
                guard configuration.speed.indices.contains(index) else {
                    return BarChart.Bar(nil, label: "not measured")
                }
                let number = value(configuration.speed[index])
                return BarChart.Bar(number, label: Numeral.fixed(number, places: places))
            }
            return BarChart.Group(name: "\(concurrency) at once", bars: bars)
        }
        return BarChart(title: title, series: configurations.map(\.name), groups: groups)
    }

    private static func bar(_ estimate: Estimate, places: Int) -> BarChart.Bar {
        BarChart.Bar(
            estimate.value, error: estimate.standardError, label: ComparisonFigures.text(estimate, places: places))
    }

    private static func megabytes(_ count: Int) -> BarChart.Bar {
        BarChart.Bar(Double(count) / 1e6, label: Numeral.fixed(Double(count) / 1e6, places: 0))
    }
}
