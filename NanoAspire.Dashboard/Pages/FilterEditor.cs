using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>
/// The conditions of a list: each can be switched off and on or removed, and one can be added. All of it is in the address, so a list is
/// shared by sharing its address, and it works without a script.
/// </summary>
internal static class FilterEditor
{
    private static readonly string[] NewCondition = ["field", "condition", "value"];

    /// <summary>The address with the condition that the form has sent made part of the others; null when it has sent none.</summary>
    public static string? Added(PageRequest request)
    {
        if (request["field"] is not { } field || request["condition"] is not { } condition || !FieldFilter.Conditions.Contains(condition)) return null;
        var added = new FieldFilter(field.Trim(), condition, request["value"] ?? "");
        return request.With([("filters", FieldFilter.Format(FieldFilter.Parse(request["filters"]).Append(added))), .. NewCondition.Select(key => (key, (string?)null))]);
    }

    /// <param name="html">Where to.</param>
    /// <param name="request">The address to change.</param>
    /// <param name="fields">Names to offer; any other can be typed.</param>
    public static void Render(HtmlWriter html, PageRequest request, IEnumerable<string> fields)
    {
        var filters = FieldFilter.Parse(request["filters"]);
        html.Add($"""<div class="conditions" id="conditions">""");
        for (var i = 0; i < filters.Count; i++)
        {
            var filter = filters[i];
            html.Add($"""
                <span class="condition{(filter.Disabled ? " off" : "")}"><a href="{Changed(request, filters, i, filter with { Disabled = !filter.Disabled })}" data-swap title="{(filter.Disabled ? "Switch on" : "Switch off")}">{filter.Field} <b>{Words(filter.Condition)}</b> {filter.Value}</a>
                <a class="iconbtn" href="{Changed(request, filters, i, null)}" data-swap title="Remove">{Icons.Close}<span class="sr">Remove {filter.Field}</span></a></span>
                """);
        }
        html.Add($"""<details class="add" id="add-filter"><summary>Add filter</summary><form method="get" action="{request.Path}" data-query>""");
        foreach (var (key, value) in request.Pairs.Where(pair => !NewCondition.Contains(pair.Key))) html.Add($"""<input type="hidden" name="{key}" value="{value}">""");
        html.Add($"""<label><span class="sr">Field</span><input id="filter-field" name="field" list="filter-fields" placeholder="Field" required autocomplete="off"></label><datalist id="filter-fields">""");
        foreach (var field in fields) html.Add($"""<option value="{field}">""");
        html.Add($"</datalist>");
        Parts.Select(html, "condition", "Condition", FieldFilter.Conditions.Select(condition => (condition, Words(condition))), "contains");
        html.Add($"""<label><span class="sr">Value</span><input id="filter-value" name="value" placeholder="Value" autocomplete="off"></label><button class="button">Add</button></form></details></div>""");
    }

    private static string Changed(PageRequest request, IReadOnlyList<FieldFilter> filters, int index, FieldFilter? replacement)
    {
        var rest = filters.Select((filter, i) => i == index ? replacement : filter).OfType<FieldFilter>();
        return request.With(("filters", FieldFilter.Format(rest)));
    }

    private static string Words(string condition) => condition switch
    {
        "equals" => "=",
        "!equals" => "≠",
        "!contains" => "does not contain",
        "gt" => ">",
        "lt" => "<",
        "gte" => "≥",
        "lte" => "≤",
        _ => condition,
    };
}
