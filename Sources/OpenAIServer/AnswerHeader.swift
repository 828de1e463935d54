import JSON
import FoundationEssentials

extension JSONObject {
    /// The fields that every answer begins with: a new id, the kind of object, the time and the model.
    static func answerHeader(idPrefix: String, object: String, model: String) -> JSONObject {
        let number = UInt64.random(in: .min ... .max)
        let digits = String(number, radix: 16)
        var header = JSONObject()
        header.append("id", .string("\(idPrefix)-\(String(repeating: "0", count: 16 - digits.count))\(digits)"))
        header.append("object", .string(object))
        header.append("created", .integer(Int(Date().timeIntervalSince1970)))
        header.append("model", .string(model))
        return header
    }
}
