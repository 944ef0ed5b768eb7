using System.Text.Json.Nodes;

namespace NanoAspire.Answers.Tests;

/// <summary>Calls as the families write them.</summary>
internal static class Samples
{
    public static readonly string[] Families = ["hermes", "qwen3_xml", "deepseek_v3", "deepseek_v31", "deepseek_v32", "deepseek_v4", "glm45", "glm47", "kimi_k2", "json"];

    /// <summary>Values that look like what surrounds them.</summary>
    public const string Awkward = "say \"hi\"\nto </parameter> and </arg_value>, \\ ünïcödé 🌍 </｜DSML｜parameter> ok";

    public static string Write(string family, params IEnumerable<(string Name, JsonObject Arguments)> calls)
    {
        var list = calls.ToList();
        string Each(Func<string, JsonObject, int, string> one, string separator = "\n") => string.Join(separator, list.Select((call, i) => one(call.Name, call.Arguments, i)));
        return family switch
        {
            "hermes" => Each((name, arguments, _) => $"<tool_call>\n{{\"name\": \"{name}\", \"arguments\": {arguments.ToJsonString()}}}\n</tool_call>"),
            "qwen3_xml" => Each((name, arguments, _) => $"<tool_call>\n<function={name}>\n{Parameters(arguments, (key, value) => $"<parameter={key}>\n{value}\n</parameter>\n")}</function>\n</tool_call>"),
            "deepseek_v3" => $"<｜tool▁calls▁begin｜>{Each((name, arguments, _) => $"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{arguments.ToJsonString()}\n```<｜tool▁call▁end｜>")}<｜tool▁calls▁end｜>",
            "deepseek_v31" => $"<｜tool▁calls▁begin｜>{Each((name, arguments, _) => $"<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{arguments.ToJsonString()}<｜tool▁call▁end｜>", "")}<｜tool▁calls▁end｜>",
            "deepseek_v32" => Dsml("function_calls"),
            "deepseek_v4" => Dsml("tool_calls"),
            "glm45" => Each((name, arguments, _) => $"<tool_call>{name}\n{Parameters(arguments, (key, value) => $"<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n")}</tool_call>"),
            "glm47" => Each((name, arguments, _) => $"<tool_call>{name}{Parameters(arguments, (key, value) => $"<arg_key>{key}</arg_key><arg_value>{value}</arg_value>")}</tool_call>", ""),
            "kimi_k2" => $"<|tool_calls_section_begin|>{Each((name, arguments, i) => $"<|tool_call_begin|>functions.{name}:{i}<|tool_call_argument_begin|>{arguments.ToJsonString()}<|tool_call_end|>", "")}<|tool_calls_section_end|>",
            "json" => $"[{Each((name, arguments, _) => $"{{\"name\": \"{name}\", \"parameters\": {arguments.ToJsonString()}}}", ", ")}]",
            _ => throw new ArgumentException(family),
        };

        string Dsml(string block) => $"<｜DSML｜{block}>\n{Each((name, arguments, _) =>
            $"<｜DSML｜invoke name=\"{name}\">\n{string.Concat(arguments.Select(p => $"<｜DSML｜parameter name=\"{p.Key}\" string=\"{(IsText(p.Value) ? "true" : "false")}\">{Plain(p.Value)}</｜DSML｜parameter>\n"))}</｜DSML｜invoke>")}\n</｜DSML｜{block}>";
    }

    private static string Parameters(JsonObject arguments, Func<string, string, string> one) => string.Concat(arguments.Select(p => one(p.Key, Plain(p.Value))));

    private static bool IsText(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out _);

    private static string Plain(JsonNode? value) => IsText(value) ? value!.GetValue<string>() : value?.ToJsonString() ?? "null";
}
