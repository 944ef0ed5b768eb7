using System.Text.Json.Nodes;
using NanoAspire.Engine.Text.Jinja;
using NanoAspire.Engine.Text.Tokenization;

namespace NanoAspire.Engine.Text;

/// <summary>
/// A model's chat template: Jinja as Hugging Face's apply_chat_template runs it (trim_blocks, lstrip_blocks, loop controls, no autoescape).
/// Parsed once, rendered any number of times, safe to share between threads. A rendering is bounded in output, iterations and depth.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Body _template;
    private readonly Body? _toolTemplate;
    private readonly IReadOnlyDictionary<string, string> _specialTokens;
    private readonly TimeProvider _time;
    private readonly RenderLimits _limits;

    private ChatTemplate(string source, string? toolSource, IReadOnlyDictionary<string, string> specialTokens, TimeProvider? time, RenderLimits? limits)
    {
        Source = toolSource is null ? source : source + toolSource;
        _template = ParseSource(source);
        _toolTemplate = toolSource is null ? null : ParseSource(toolSource);
        _specialTokens = specialTokens;
        _time = time ?? TimeProvider.System;
        _limits = limits ?? new();
    }

    /// <summary>The template's own text, both templates' where there is one for tools: it shows what the model's answers look like.</summary>
    public string Source { get; }

    /// <summary>The folder's template: chat_template.jinja, else the chat_template of tokenizer_config.json; null when there is neither.</summary>
    /// <exception cref="ChatTemplateException">The template is malformed or cannot be read.</exception>
    /// <exception cref="TokenizerException">tokenizer_config.json is malformed.</exception>
    public static ChatTemplate? Load(string modelFolder) => Load(modelFolder, time: null);

    /// <inheritdoc cref="Load(string)"/>
    /// <param name="modelFolder">The model's folder.</param>
    /// <param name="time">The clock behind strftime_now.</param>
    public static ChatTemplate? Load(string modelFolder, TimeProvider? time)
    {
        var config = TokenizerConfig.Load(modelFolder);
        var file = Path.Combine(modelFolder, "chat_template.jinja");
        var source = File.Exists(file) ? ReadFile(file) : config.ChatTemplate;
        var toolSource = config.NamedChatTemplates.GetValueOrDefault("tool_use");
        if (File.Exists(file)) toolSource = null;
        return (source ?? toolSource) is { } any ? new(any, toolSource, config.SpecialTokens, time, limits: null) : null;
    }

    /// <summary>A template from its text.</summary>
    /// <param name="source">The template.</param>
    /// <param name="specialTokens">bos_token, eos_token and so on, variables of the template.</param>
    /// <param name="time">The clock behind strftime_now.</param>
    /// <exception cref="ChatTemplateException">The template is malformed.</exception>
    public static ChatTemplate Parse(string source, IReadOnlyDictionary<string, string>? specialTokens = null, TimeProvider? time = null) =>
        Parse(source, specialTokens, time, limits: null);

    internal static ChatTemplate Parse(string source, IReadOnlyDictionary<string, string>? specialTokens, TimeProvider? time, RenderLimits? limits) =>
        new(source, null, specialTokens ?? new Dictionary<string, string>(), time, limits);

    /// <summary>The prompt of a conversation.</summary>
    /// <param name="messages">The messages, as in the OpenAI API.</param>
    /// <param name="tools">The tools; null (none) and empty differ to some templates.</param>
    /// <param name="addGenerationPrompt">Whether the prompt ends where the assistant is to begin.</param>
    /// <param name="extra">Further variables (enable_thinking, documents …); they may replace the special tokens, not messages or tools.</param>
    /// <exception cref="ChatTemplateException">The template raises one, fails on these messages, or goes beyond its limits.</exception>
    public string Render(JsonArray messages, JsonArray? tools, bool addGenerationPrompt, JsonObject? extra = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var context = new RenderContext(_limits, _time);
        try
        {
            var scope = new Scope(null);
            foreach (var (name, text) in _specialTokens) scope[name] = text;
            scope["documents"] = null;
            scope["add_generation_prompt"] = addGenerationPrompt;
            foreach (var (name, value) in extra ?? []) scope[name] = PyJson.FromNode(value);
            scope["messages"] = PyJson.FromNode(messages);
            scope["tools"] = PyJson.FromNode(tools);
            (tools is not null && _toolTemplate is not null ? _toolTemplate : _template).Execute(context, scope);
            return context.Output;
        }
        catch (TemplateError e)
        {
            throw Wrap(e, context.Line);
        }
    }

    private static Body ParseSource(string source)
    {
        try
        {
            return TemplateParser.Parse(source);
        }
        catch (TemplateError e)
        {
            throw Wrap(e, line: 1);
        }
    }

    private static string ReadFile(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ChatTemplateException($"{Path.GetFileName(file)}: cannot be read: {e.Message}", e);
        }
    }

    private static ChatTemplateException Wrap(TemplateError error, int line)
    {
        line = error.Line ?? line;
        return new(error.Raised ? error.Message : $"chat template, line {line}: {error.Message}", error) { RaisedByTemplate = error.Raised, Line = line };
    }
}
