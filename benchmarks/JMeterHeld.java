// JMeter's engine without its window: N threads that begin within a ramp, one GET each.
//
//     java -cp ... JMeterHeld N RAMP PORT      see jmeter.py beside it

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.jmeter.control.LoopController;
import org.apache.jmeter.engine.StandardJMeterEngine;
import org.apache.jmeter.engine.util.NoThreadClone;
import org.apache.jmeter.protocol.http.sampler.HTTPSamplerProxy;
import org.apache.jmeter.samplers.SampleEvent;
import org.apache.jmeter.samplers.SampleListener;
import org.apache.jmeter.testelement.AbstractTestElement;
import org.apache.jmeter.testelement.TestPlan;
import org.apache.jmeter.threads.ThreadGroup;
import org.apache.jmeter.util.JMeterUtils;
import org.apache.jorphan.collections.HashTree;

public class JMeterHeld {
    static final AtomicInteger answered = new AtomicInteger();

    public static class Count extends AbstractTestElement implements SampleListener, NoThreadClone {
        public void sampleOccurred(SampleEvent event) {
            if (event.getResult().isSuccessful()) {
                answered.incrementAndGet();
            }
        }

        public void sampleStarted(SampleEvent event) {}

        public void sampleStopped(SampleEvent event) {}
    }

    public static void main(String[] arguments) throws Exception {
        String home = System.getenv("JMETER_HOME");
        JMeterUtils.setJMeterHome(home);
        JMeterUtils.loadJMeterProperties(home + "/bin/jmeter.properties");
        JMeterUtils.initLocale();

        HTTPSamplerProxy request = new HTTPSamplerProxy("HttpClient4");
        request.setName("held");
        request.setProtocol("http");
        request.setDomain("127.0.0.1");
        request.setPort(Integer.parseInt(arguments[2]));
        request.setPath("/");
        request.setMethod("GET");
        LoopController once = new LoopController();
        once.setLoops(1);
        once.setFirst(true);
        once.initialize();
        ThreadGroup threads = new ThreadGroup();
        threads.setName("held");
        threads.setNumThreads(Integer.parseInt(arguments[0]));
        threads.setRampUp(Integer.parseInt(arguments[1]));
        threads.setSamplerController(once);

        HashTree plan = new HashTree();
        HashTree inPlan = plan.add(new TestPlan("held"));
        inPlan.add(threads).add(request);
        inPlan.add(new Count());
        StandardJMeterEngine engine = new StandardJMeterEngine();
        engine.configure(plan);
        engine.run();
        System.out.println("answered " + answered);
        System.exit(0);
    }
}
