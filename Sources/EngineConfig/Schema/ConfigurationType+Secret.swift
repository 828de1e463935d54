import SharedValues

extension ConfigurationType where Value == Secret {
    /// What an HTTP header can carry as one word, to be kept secret.
    static var token: ConfigurationType {
        let token = ConfigurationType<String>.token
        return ConfigurationType(expected: token.expected) { node, context throws(ValueMismatch) in
            Secret(try token.decode(node, context))
        } render: {
            token.render($0.text)
        }
    }
}
