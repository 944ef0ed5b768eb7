using Aspire.Hosting.Pipelines;
using Aspire.Hosting.Publishing;
using NanoAspire.Hosting.Tests.Run;

namespace NanoAspire.Hosting.Tests.Publishing;

public sealed class PipelineTests
{
    [Fact]
    public async Task A_step_runs_after_all_that_it_depends_on_and_nothing_else_runs()
    {
        using var published = new PublishedApplication("none");
        var pipeline = published.Builder.Pipeline;
        var order = new List<string>();
        Add("c", dependsOn: new[] { "a", "b" });
        Add("b", dependsOn: "a");
        Add("a");
        Add("late", requiredBy: "c");
        Add("other");
        Assert.Equal(["a", "b", "late", "c"], await Steps.RunAsync(published.Builder, "c"));
        Assert.Equal(["a", "b", "late", "c"], order);

        void Add(string name, object? dependsOn = null, object? requiredBy = null) => pipeline.AddStep(name, _ =>
        {
            order.Add(name);
            return Task.CompletedTask;
        }, dependsOn, requiredBy);
    }

    [Fact]
    public async Task Steps_of_resources_and_late_configuration_take_part()
    {
        using var published = new PublishedApplication("none");
        published.Builder.AddContainer("one", "x").WithAnnotation(new PipelineStepAnnotation(context => new PipelineStep
        {
            Name = $"warm-{context.Resource.Name}",
            Action = _ => Task.CompletedTask,
            Tags = ["warm"],
        }));
        published.Builder.Pipeline.AddPipelineConfiguration(context =>
        {
            Assert.Equal("one", Assert.Single(context.GetSteps("warm")).Resource?.Name);
            context.GetSteps("warm").Single().RequiredBy(WellKnownPipelineSteps.Publish);
            return Task.CompletedTask;
        });
        Assert.Equal(["publish-prereq", "warm-one", "publish"], await Steps.RunAsync(published.Builder, "publish"));
    }

    [Fact]
    public async Task Publishing_is_announced_before_its_steps_and_after_them()
    {
        using var published = new PublishedApplication("none", "out", "--step", "work");
        var order = new List<string>();
        published.Builder.Eventing.Subscribe<BeforePublishEvent>((e, _) => Note($"before {e.Model.Resources.Count} {e.Services is not null}"));
        published.Builder.Eventing.Subscribe<AfterPublishEvent>((e, _) => Note($"after {e.Model.Resources.Count} {e.Services is not null}"));
        published.Builder.Pipeline.AddStep("work", _ => Note("work"));
        published.Builder.AddContainer("one", "x");
        await published.RunAsync();
        Assert.Equal(["before 1 True", "work", "after 1 True"], order);

        Task Note(string what)
        {
            order.Add(what);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Steps_that_cannot_be_ordered_or_found_are_named()
    {
        using (var circle = new PublishedApplication("none"))
        {
            circle.Builder.Pipeline.AddStep("a", _ => Task.CompletedTask, dependsOn: "b");
            circle.Builder.Pipeline.AddStep("b", _ => Task.CompletedTask, dependsOn: "a");
            Assert.Contains("a → b → a", (await Assert.ThrowsAsync<DistributedApplicationException>(() => Steps.RunAsync(circle.Builder, "a"))).Message, StringComparison.Ordinal);
        }
        using (var missing = new PublishedApplication("none"))
        {
            missing.Builder.Pipeline.AddStep("a", _ => Task.CompletedTask, dependsOn: "nowhere");
            Assert.Contains("'nowhere'", (await Assert.ThrowsAsync<DistributedApplicationException>(() => Steps.RunAsync(missing.Builder, "a"))).Message, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(() => missing.Builder.Pipeline.AddStep("a", _ => Task.CompletedTask));
        }
        using var unknown = new PublishedApplication("none");
        Assert.Contains("publish-manifest", (await Assert.ThrowsAnyAsync<DistributedApplicationException>(() => Steps.RunAsync(unknown.Builder, "nope"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "publisher 'nowhere' is not known", "--publisher", "nowhere", "--output-path", "/tmp")]
    [InlineData(2, "needs --output-path", "--publisher", "manifest")]
    [InlineData(2, "no pipeline step 'nope'", "--operation", "publish", "--step", "nope")]
    [InlineData(1, "cannot write the output", "--publisher", "manifest", "--output-path", "/proc/nanoaspire/manifest.json")]
    public async Task A_request_that_cannot_be_met_ends_with_one_line_and_a_code(int code, string line, params string[] args)
    {
        using var host = SampleHost.Start(args: args);
        await host.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(code, host.Process.ExitCode);
        Assert.Contains(line, Assert.Single(host.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_customization_without_its_environment_is_refused()
    {
        using var published = new PublishedApplication("none");
        published.Builder.AddContainer("one", "x").PublishAsKubernetesService(_ => { });
        Assert.Contains("AddKubernetesEnvironment", (await Assert.ThrowsAsync<DistributedApplicationException>(() => Steps.RunAsync(published.Builder, "publish"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_two_environments_each_resource_must_choose()
    {
        using var ambiguous = new PublishedApplication("none");
        ambiguous.Builder.AddKubernetesEnvironment("k8s");
        ambiguous.Builder.AddDockerComposeEnvironment("box");
        ambiguous.Builder.AddContainer("one", "x");
        Assert.Contains("ambiguous", (await Assert.ThrowsAsync<DistributedApplicationException>(() => Steps.RunAsync(ambiguous.Builder, "publish"))).Message, StringComparison.Ordinal);

        using var chosen = new PublishedApplication("none");
        var k8s = chosen.Builder.AddKubernetesEnvironment("k8s");
        var box = chosen.Builder.AddDockerComposeEnvironment("box");
        chosen.Builder.AddContainer("one", "x").WithComputeEnvironment(k8s);
        chosen.Builder.AddContainer("two", "y").WithComputeEnvironment(box);
        await Steps.RunAsync(chosen.Builder, "publish");
        Assert.Equal(["box/.env", "box/docker-compose.yaml", "k8s/Chart.yaml", "k8s/templates/one/deployment.yaml", "k8s/values.yaml"], chosen.Files());
    }
}
