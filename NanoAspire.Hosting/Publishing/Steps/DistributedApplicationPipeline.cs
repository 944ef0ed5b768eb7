using Aspire.Hosting.Pipelines;

namespace NanoAspire.Hosting.Publishing.Steps;

/// <summary>The steps of a host, and the order in which they run.</summary>
internal sealed class DistributedApplicationPipeline : IDistributedApplicationPipeline
{
    private readonly List<PipelineStep> _steps = [];
    private readonly List<Func<PipelineConfigurationContext, Task>> _configurations = [];

    public DistributedApplicationPipeline()
    {
        foreach (var (name, after) in new[]
        {
            (WellKnownPipelineSteps.ProcessParameters, (string?)null),
            (WellKnownPipelineSteps.BuildPrereq, WellKnownPipelineSteps.ProcessParameters),
            (WellKnownPipelineSteps.Build, WellKnownPipelineSteps.BuildPrereq),
            (WellKnownPipelineSteps.PushPrereq, WellKnownPipelineSteps.Build),
            (WellKnownPipelineSteps.Push, WellKnownPipelineSteps.PushPrereq),
            (WellKnownPipelineSteps.PublishPrereq, null),
            (WellKnownPipelineSteps.Publish, WellKnownPipelineSteps.PublishPrereq),
            (WellKnownPipelineSteps.DeployPrereq, null),
            (WellKnownPipelineSteps.Deploy, WellKnownPipelineSteps.DeployPrereq),
        })
        {
            AddStep(name, static _ => Task.CompletedTask, after);
        }
    }

    public void AddStep(string name, Func<PipelineStepContext, Task> action, object? dependsOn = null, object? requiredBy = null) =>
        AddStep(new PipelineStep { Name = name, Action = action, DependsOnSteps = Names(dependsOn, nameof(dependsOn)), RequiredBySteps = Names(requiredBy, nameof(requiredBy)) });

    public void AddStep(PipelineStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_steps.Any(s => s.Name == step.Name)) throw new InvalidOperationException($"A step with the name '{step.Name}' has already been added to the pipeline.");
        _steps.Add(step);
    }

    public void AddPipelineConfiguration(Func<PipelineConfigurationContext, Task> callback) => _configurations.Add(callback);

    /// <summary>The steps that a request means, dependencies first.</summary>
    /// <exception cref="DistributedApplicationException">There is no such step, a dependency is missing, or steps depend on each other in a circle.</exception>
    public async Task<IReadOnlyList<PipelineStep>> PlanAsync(string step, PipelineContext context)
    {
        var all = new List<PipelineStep>(_steps);
        foreach (var resource in context.Model.Resources)
        {
            foreach (var annotation in resource.Annotations.OfType<PipelineStepAnnotation>().ToArray())
            {
                foreach (var created in await annotation.CreateStepsAsync(new() { PipelineContext = context, Resource = resource }).ConfigureAwait(false))
                {
                    created.Resource ??= resource;
                    if (all.Any(s => s.Name == created.Name)) throw new DistributedApplicationException($"Two pipeline steps are named '{created.Name}'.");
                    all.Add(created);
                }
            }
        }
        foreach (var configure in _configurations) await configure(new() { Services = context.Services, Model = context.Model, Steps = all }).ConfigureAwait(false);
        var byName = all.ToDictionary(s => s.Name);
        var dependencies = all.ToDictionary(s => s, s => s.DependsOnSteps.Select(d => Find(d, s)).ToHashSet());
        foreach (var one in all)
        {
            foreach (var requirer in one.RequiredBySteps) dependencies[Find(requirer, one)].Add(one);
        }
        if (!byName.TryGetValue(step, out var wanted))
        {
            throw new PublishUsageException($"There is no pipeline step '{step}'. Steps: {string.Join(", ", byName.Keys.Order(StringComparer.Ordinal))}.");
        }
        return Ordered(wanted, dependencies);

        PipelineStep Find(string name, PipelineStep from) => byName.TryGetValue(name, out var found)
            ? found
            : throw new DistributedApplicationException($"Pipeline step '{from.Name}' names a step '{name}' that does not exist.");
    }

    private static List<PipelineStep> Ordered(PipelineStep wanted, Dictionary<PipelineStep, HashSet<PipelineStep>> dependencies)
    {
        var order = new List<PipelineStep>();
        var path = new List<PipelineStep>();
        Visit(wanted);
        return order;

        void Visit(PipelineStep step)
        {
            if (order.Contains(step)) return;
            if (path.Contains(step)) throw new DistributedApplicationException($"Pipeline steps depend on each other: {string.Join(" → ", path.Append(step).Select(s => s.Name))}.");
            path.Add(step);
            foreach (var dependency in dependencies[step].OrderBy(d => d.Name, StringComparer.Ordinal)) Visit(dependency);
            path.RemoveAt(path.Count - 1);
            order.Add(step);
        }
    }

    private static List<string> Names(object? value, string parameter) => value switch
    {
        null => [],
        string name => [name],
        IEnumerable<string> names => [.. names],
        _ => throw new ArgumentException("A step is named by a string or an IEnumerable<string>.", parameter),
    };
}
